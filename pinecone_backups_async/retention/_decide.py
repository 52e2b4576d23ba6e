"""Which backups to keep. Pure: backups and a policy in, decisions out. Knows no client and no network.

Theory of operation. Each index is judged by itself, an index being one `source_index_id`. Its Ready backups, newest
first, fill the periods of the policy: `daily=7` keeps the newest backup of each of the last seven days that have one.
Each rule counts by itself, and a backup stays if any rule keeps it. Nothing is measured from the current time, so if no
backups are made any more, none is deleted; `now` serves only to recognise times that cannot be true.

What cannot be judged stays: a backup that is unfinished, without a time, dated ahead, or in a status that this version
does not know. A backup goes only if a newer Ready one of its index is kept. Deciding again on what was kept deletes
nothing more, and a policy that keeps more deletes a subset.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final, cast

import attrs

from pinecone_backups_async import Backup, ConfigurationError

from ..coverage import believable, by_index, created, has_failed, moment_of

__all__ = ["NEWEST", "Decision", "RetentionPolicy", "check_count", "check_flag", "decide", "names_of"]

NEWEST: Final = "newest Ready of its index"
# What a moment in the zone of the policy belongs to. An hour that the clock shows twice in autumn is two hours.
_PERIODS: Final[Mapping[str, Callable[[dt.datetime], object]]] = {
    "hourly": lambda moment: (moment.date(), moment.hour, moment.utcoffset()),
    "daily": lambda moment: moment.date(),
    "weekly": lambda moment: moment.isocalendar()[:2],
    "monthly": lambda moment: (moment.year, moment.month),
    "yearly": lambda moment: moment.year,
}


def names_of(argument: str, values: object) -> tuple[str, ...] | None:
    """Return names as a tuple, None for all. Raises ConfigurationError if they are one str, empty, or not texts."""
    if values is None:
        return None
    listed = isinstance(values, Iterable) and not isinstance(values, str)
    texts = tuple(cast("Iterable[object]", values)) if listed else ()
    names = tuple(text for text in texts if isinstance(text, str))
    if not names or names != texts:
        raise ConfigurationError(f"{argument} must be a list of one or more str, or None for all", argument=argument)
    return names


def check_count(argument: str, value: object) -> None:
    """Raise ConfigurationError for what is no int of at least 0."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(f"{argument} must be an int of at least 0, not {value!r}", argument=argument)


def _patterns(values: Collection[str] | None) -> Collection[str] | None:
    return names_of("names", values)


def check_flag(argument: str, value: object) -> None:
    """Raise ConfigurationError for what is no bool: None or 0 must not mean that something may be deleted."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{argument} must be True or False, not {value!r}", argument=argument)


@attrs.frozen(kw_only=True)
class RetentionPolicy:
    """What to keep of each index. A backup stays if any of the rules keeps it; the newest Ready one always stays.

    A period without a backup does not count: `daily=7` keeps one backup of each of the last seven days that have one,
    the newest of the day. Only Ready backups fill periods. A policy without a rule is a ConfigurationError.
    """

    last: int = 0
    """How many of the newest backups to keep."""
    hourly: int = 0
    """Of how many hours to keep the newest backup. An hour belongs to its UTC offset."""
    daily: int = 0
    """Of how many days to keep the newest backup."""
    weekly: int = 0
    """Of how many ISO weeks, which begin on Monday, to keep the newest backup."""
    monthly: int = 0
    """Of how many months to keep the newest backup."""
    yearly: int = 0
    """Of how many years to keep the newest backup."""
    within: dt.timedelta | None = None
    """Keep all that are no more than this older than the newest Ready backup of the index."""
    names: Collection[str] | None = attrs.field(default=None, converter=_patterns)
    """Patterns such as `nightly-*`, compared case-sensitively. Only backups whose name matches one may go; None: all.
    Backups of all names fill the periods."""
    zone: dt.tzinfo = dt.UTC
    """The time zone in which hours, days, weeks, months and years begin."""

    def __attrs_post_init__(self) -> None:
        for rule in ("last", *_PERIODS):
            check_count(rule, getattr(self, rule))
        within, zone = cast("tuple[object, object]", (self.within, self.zone))
        if within is not None and (not isinstance(within, dt.timedelta) or within <= dt.timedelta(0)):
            raise ConfigurationError(f"within must be a positive timedelta, not {within!r}", argument="within")
        if not isinstance(zone, dt.tzinfo):
            raise ConfigurationError(
                "zone must be a tzinfo, such as zoneinfo.ZoneInfo('Europe/Paris')", argument="zone"
            )
        if within is None and not any(getattr(self, rule) for rule in ("last", *_PERIODS)):
            raise ConfigurationError("a policy needs a rule: last, hourly, daily, weekly, monthly, yearly or within")


@attrs.frozen
class Decision:
    """Whether a backup stays, and why."""

    backup: Backup
    keep: bool
    reasons: tuple[str, ...]
    """Every reason that applies, for people to read, such as `daily 3 of 7`."""


def decide(
    backups: Iterable[Backup], policy: RetentionPolicy, *, now: dt.datetime | None = None, gone: bool = False
) -> list[Decision]:
    """Return for every backup whether it stays, newest first, given all backups of a project or of an index.

    A backup that is given twice counts once. Of two with the same time, the one whose id sorts last is the newer.
    Backups dated more than a day ahead of `now`, an aware datetime and by default the current time, stay and fill no
    period. Backups of deleted indexes stay unless `gone` is True; the newest Ready one of each stays in any case.
    Raises ConfigurationError for a naive `now`.
    """
    moment = moment_of(now)
    check_flag("gone", gone)
    unique = {backup.backup_id: backup for backup in backups}.values()
    protected = {rows[0].source_index_id for rows, deleted in by_index(unique, moment) if deleted and not gone}
    newest_first = sorted(unique, key=lambda backup: (created(backup), backup.backup_id), reverse=True)
    indexes: defaultdict[str, list[Backup]] = defaultdict(list)
    for backup in newest_first:
        indexes[backup.source_index_id].append(backup)
    decided: dict[str, Decision] = {}
    for index_id, rows in indexes.items():
        decided.update(_decide_index(rows, policy, moment, protected=index_id in protected))
    return [decided[backup.backup_id] for backup in newest_first]


def _decide_index(
    rows: Sequence[Backup], policy: RetentionPolicy, now: dt.datetime, *, protected: bool
) -> Iterator[tuple[str, Decision]]:
    """Yield the decision of each backup of one index, given newest first, by its id."""
    ready = [backup for backup in rows if backup.outcome == "reached" and believable(backup, now)]
    kept_by = _apply_rules(ready, policy)
    copies = sum(backup.outcome == "reached" for backup in rows) if protected else 0
    for backup in rows:
        reasons = [*kept_by.get(backup.backup_id, ()), *_doubts(backup, policy, now)]
        if protected:
            reasons.append(_deleted_index(backup, copies))
        going = "no rule keeps it"
        if has_failed(backup):
            going = "failed, and a newer one is Ready"
            if not ready or created(ready[0]) <= created(backup):
                reasons.append("failed, but no newer one is Ready")
        yield backup.backup_id, Decision(backup, bool(reasons), tuple(reasons) or (going,))


def _apply_rules(ready: Sequence[Backup], policy: RetentionPolicy) -> Mapping[str, Sequence[str]]:
    """Return which rules keep which of the Ready backups of an index, given newest first."""
    kept: defaultdict[str, list[str]] = defaultdict(list)
    if not ready:
        return kept
    kept[ready[0].backup_id].append(NEWEST)
    for number, backup in enumerate(ready[: policy.last], 1):
        kept[backup.backup_id].append(f"last {number} of {policy.last}")
    rules = {rule: getattr(policy, rule) for rule in _PERIODS if getattr(policy, rule)}
    moments = [_local(created(backup), policy.zone) for backup in ready] if rules else []
    for rule, wanted in rules.items():
        filled: set[object] = set()
        for backup, moment in zip(ready, moments, strict=True):
            period = _PERIODS[rule](moment)
            if period not in filled:
                if len(filled) == wanted:
                    break
                filled.add(period)
                kept[backup.backup_id].append(f"{rule} {len(filled)} of {wanted}")
    if policy.within is not None:
        reason = f"within {policy.within} of the newest".replace(", 0:00:00", "")
        for backup in ready:
            if created(ready[0]) - created(backup) <= policy.within:
                kept[backup.backup_id].append(reason)
    return kept


def _local(moment: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    try:
        return moment.astimezone(zone)
    except OverflowError:  # the first and the last day of the calendar, such as Go's zero time
        return moment


def _doubts(backup: Backup, policy: RetentionPolicy, now: dt.datetime) -> Iterator[str]:
    """Yield why a backup stays whatever the rules say."""
    if backup.outcome == "waiting":
        yield f"not finished: {backup.status}"
    elif backup.outcome == "failed" and not has_failed(backup):
        yield f"unknown status {backup.status}"
    if backup.created_at is None:
        yield "its time is unknown"
    elif not believable(backup, now):
        yield "dated more than a day ahead"
    if policy.names is not None and not _matches(backup.name, policy.names):
        yield "name does not match"


def _matches(name: str | None, patterns: Iterable[str]) -> bool:
    # The service sends None or an empty text for a backup without a name; even `*` does not match it.
    return name is not None and name != "" and any(fnmatchcase(name, pattern) for pattern in patterns)


def _deleted_index(backup: Backup, copies: int) -> str:
    if backup.outcome != "reached":
        return "its index was deleted"
    return "only copy of a deleted index" if copies == 1 else f"one of {copies} copies of a deleted index"
