"""decide(): which backups a policy keeps, which may go, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import combinations_with_replacement
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinecone_backups_async import Backup, ConfigurationError
from pinecone_backups_async.retention import Decision, RetentionPolicy, decide

from ..support.backups import NOW, backup, hours

LAST: dict[str, Any] = {"last": 1}
NAIVE = NOW.replace(tzinfo=None)
DELETED: dict[str, Any] = {"index_id": "old", "source_index_deleted_at": NOW}


def decisions(*backups: Backup, gone: bool = False, **rules: Any) -> list[Decision]:
    return decide(backups, RetentionPolicy(**rules), now=NOW, gone=gone)


def ids(backups: Iterable[Decision], *, keep: bool) -> list[str]:
    return [each.backup.backup_id for each in backups if each.keep is keep]


# Ages in hours; NOW is a Tuesday at noon.
AGES = [1, 2, 13, 14, 50, 61, MONTH := 24 * 40, YEAR := 24 * 400]


@pytest.mark.parametrize(("rules", "kept"), [
    ({"last": 2}, [1, 2]), ({"hourly": 2}, [1, 2]), ({"daily": 1}, [1]), ({"daily": 3}, [1, 13, 50]),
    ({"weekly": 2}, [1, 50]), ({"monthly": 2}, [1, MONTH]), ({"yearly": 9}, [1, YEAR]),
    ({"within": hours(12)}, [1, 2, 13]), ({"within": hours(11.9)}, [1, 2]), ({"within": dt.timedelta.max}, AGES),
    ({"daily": 2, "yearly": 2}, [1, 13, YEAR]),
])  # fmt: skip
def test_what_each_rule_keeps(rules: dict[str, Any], kept: list[int]) -> None:
    backups = [backup(age) for age in AGES]
    found = decisions(*backups, **rules)
    assert ids(found, keep=True) == [f"i-1-{age}-Ready" for age in kept]
    assert [each.backup for each in found] == backups
    assert all(each.reasons == ("no rule keeps it",) for each in found if not each.keep)


def test_reasons() -> None:
    first, second, third = decisions(backup(1), backup(2), backup(30), last=2, daily=7, within=hours(48))
    within = "within 2 days of the newest"
    assert first.reasons == ("newest Ready of its index", "last 1 of 2", "daily 1 of 7", within)
    assert (second.reasons, third.reasons) == (("last 2 of 2", within), ("daily 2 of 7", within))
    copy = decisions(backup(5, **DELETED), backup(9, **DELETED), **LAST)[1]
    assert copy.reasons == ("one of 2 copies of a deleted index",)


STALE_FAILURE, LAST_FAILURE = "failed, and a newer one is Ready", "failed, but no newer one is Ready"
NO_MATCH = "name does not match"


@pytest.mark.parametrize(("row", "options", "reason"), [
    (backup(5), {}, "no rule keeps it"), (backup(5, name="nightly-1"), {"names": ["x", "n*"]}, "no rule keeps it"),
    *((backup(5, status), {}, STALE_FAILURE) for status in ("Failed", "InitializationFailed")),
    *((backup(age, "Failed"), {}, LAST_FAILURE) for age in (1, 2)),  # 2: as old as the Ready one
    (backup(5, "Failed", index_id="2"), {}, LAST_FAILURE), (backup(5, "Cancelled"), {}, "unknown status Cancelled"),
    *((backup(5, status), {}, f"not finished: {status}") for status in ("Pending", "Initializing", "Scheduled")),
    *((backup(None, status), {}, "its time is unknown") for status in ("Ready", "Failed")),
    (backup(-25), {}, "dated more than a day ahead"),
    *((backup(5, name=name), {"names": ["n*", "[!a-z]"]}, NO_MATCH) for name in ("Nightly-1", "manual")),
    *((backup(5, name=name), {"names": ["*"]}, NO_MATCH) for name in ("", None)),
    (backup(5, **DELETED), {}, "only copy of a deleted index"),
    (backup(5, **DELETED), {"gone": True}, "newest Ready of its index"),
    (backup(5, "Failed", **DELETED), {}, "its index was deleted"),
])  # fmt: skip
def test_what_stays_and_why(row: Backup, options: dict[str, Any], reason: str) -> None:
    found = {each.backup: each for each in decisions(row, backup(2), **LAST, **options)}
    assert found[row].keep is (reason not in {"no rule keeps it", STALE_FAILURE})
    assert reason in found[row].reasons


# What is left of an index whose name a newer one has now: its last copies may be among them.
REPLACED = [backup(1, index_id="new"), backup(5, index_id="old"), backup(9, index_id="old")]
NAMED = [backup(1, name="manual"), backup(2, name="nightly-2"), backup(3, name="nightly-3")]
STOPPED = [backup(YEAR + 24 * day) for day in range(4)]  # the job stopped long ago: nothing more is lost


@pytest.mark.parametrize(("rows", "rules", "going"), [
    (REPLACED, LAST, []), (REPLACED, LAST | {"gone": True}, ["i-old-9-Ready"]),
    # What is dated ahead fills no period.
    ([backup(-25), backup(-24), backup(1), backup(2)], {"last": 2, "daily": 1}, ["i-1-2-Ready"]),
    (STOPPED, {"within": hours(30)}, ["i-1-9648-Ready", "i-1-9672-Ready"]),
    (STOPPED, {"daily": 3}, ["i-1-9672-Ready"]),
    (NAMED, {"last": 2, "names": ["nightly-*"]}, ["i-1-3-Ready"]),  # backups of all names fill the periods
])  # fmt: skip
def test_what_goes(rows: list[Backup], rules: dict[str, Any], going: list[str]) -> None:
    assert ids(decisions(*rows, **rules), keep=False) == going


@pytest.mark.parametrize(("rule", "times", "zone", "periods"), [
    ("daily", ["2026-11-23T23:30+00:00", "2026-11-23T22:30+00:00"], "UTC", 1),
    ("daily", ["2026-11-23T23:30+00:00", "2026-11-23T22:30+00:00"], "Europe/Paris", 2),
    ("hourly", ["2026-10-25T00:30+00:00", "2026-10-25T01:30+00:00"], "Europe/Paris", 2),  # both 2:30, in autumn
    ("weekly", ["2026-11-25T00:30+00:00", "2025-11-26T00:30+00:00"], "UTC", 2),  # both the 48th
    ("monthly", ["2026-11-25T00:30+00:00", "2025-11-26T00:30+00:00"], "UTC", 2),
    ("yearly", ["2026-10-25T00:30+00:00", "0001-01-01T00:00+00:00"], "America/New_York", 2),
])  # fmt: skip
def test_periods_begin_in_the_zone_of_the_policy(rule: str, times: list[str], zone: str, periods: int) -> None:
    rows = [backup(None, backup_id=time, created_at=dt.datetime.fromisoformat(time)) for time in times]
    rules: dict[str, Any] = {rule: 2, "zone": ZoneInfo(zone)}
    assert len(ids(decisions(*rows, **rules), keep=True)) == periods


@pytest.mark.parametrize(("argument", "rules", "options"), [
    (None, {}, {}), (None, {"names": ["x"]}, {}), ("last", {"last": -1}, {}), ("daily", {"daily": True}, {}),
    ("weekly", {"weekly": 1.0}, {}), ("within", {"within": 7}, {}), ("within", {"within": hours(0)}, {}),
    ("zone", {**LAST, "zone": "UTC"}, {}), ("gone", LAST, {"gone": None}), ("now", LAST, {"now": NAIVE}),
    *(("names", {**LAST, "names": names}, {}) for names in ([], "nightly-*", 7, [7])),
])  # fmt: skip
def test_what_is_refused(argument: str | None, rules: dict[str, Any], options: dict[str, Any]) -> None:
    told = f"{argument} must be" if argument else "a policy needs a rule"
    with pytest.raises(ConfigurationError, match=told) as caught:
        decide([], RetentionPolicy(**rules), **options)
    assert caught.value.argument == argument


def test_a_year_of_daily_backups() -> None:
    """14 of 365 stay, and a second pass removes none."""
    rules: dict[str, Any] = {"daily": 7, "weekly": 4, "monthly": 6}
    kept = [each.backup for each in decisions(*(backup(24 * day) for day in range(365)), **rules) if each.keep]
    assert (len(kept), ids(decisions(*kept, **rules), keep=False)) == (14, [])


# Each policy keeps at least what the one before it keeps.
POLICIES = [
    RetentionPolicy(last=1), RetentionPolicy(last=1, daily=1, weekly=1), RetentionPolicy(last=2, daily=2, weekly=2),
    RetentionPolicy(last=2, daily=3, weekly=2, within=hours(2)),
]  # fmt: skip
KINDS = [(status, age) for status in ("Ready", "Failed", "Pending", "Exploded") for age in (None, -48, 1, 2, 50)]


@pytest.mark.parametrize("size", [1, 2, 3, *(pytest.param(size, marks=pytest.mark.soak) for size in (4, 5, 6))])
def test_W10_every_multiset_of_backups(size: int) -> None:
    """No index loses its newest Ready one, deciding twice changes nothing, and keeping more deletes a subset."""
    rows = {(kind, place): backup(kind[1], kind[0], backup_id=str(place)) for kind in KINDS for place in range(size)}
    for kinds in combinations_with_replacement(KINDS, size):
        backups = [rows[kind, place] for place, kind in enumerate(kinds)]
        dated = [(str(place), status, age) for place, (status, age) in enumerate(kinds) if age in {1, 2, 50}]
        ready = {backup_id: age for backup_id, status, age in dated if status == "Ready"}
        age_of_newest = min(ready.values(), default=99)
        newest = {backup_id for backup_id, age in ready.items() if age == age_of_newest}
        failed = {backup_id for backup_id, status, age in dated if status == "Failed" and age > age_of_newest}
        before = failed | ready.keys()
        for policy in POLICIES:
            found = decide(backups, policy, now=NOW)
            gone = {each.backup.backup_id for each in found if not each.keep}
            assert failed <= gone <= before, (kinds, policy)
            assert newest - gone or not newest, (kinds, policy)
            again = decide([each.backup for each in found if each.keep], policy, now=NOW) if gone else []
            assert all(each.keep for each in again), (kinds, policy)
            before = gone


ROWS = st.builds(
    backup,
    st.none() | st.integers(-30, 60).map(lambda age: age - age % 6),  # many of the same time
    st.sampled_from(["Ready", "Ready", "Ready", "Failed", "Pending", "Exploded"]),
    index=st.sampled_from("ab"),
    index_id=st.sampled_from("12"),
    source_index_deleted_at=st.sampled_from([None, None, None, NOW]),
    backup_id=st.text("abc", min_size=1, max_size=4),
)
COUNTS = {rule: st.integers(0, 3) for rule in ("hourly", "daily", "weekly")}
WITHIN = {"within": st.none() | st.integers(1, 40).map(hours)}
RULES = st.fixed_dictionaries({"last": st.integers(1, 3)}, optional={**COUNTS, **WITHIN})


@given(st.lists(ROWS, max_size=12, unique_by=lambda row: row.backup_id), RULES, st.booleans(), st.randoms())
def test_order_does_not_matter(rows: list[Backup], rules: dict[str, Any], gone: bool, random: Any) -> None:
    """Ties are broken by the id."""
    found = decisions(*rows, **rules, gone=gone)
    shuffled = rows * 2
    random.shuffle(shuffled)
    assert decisions(*shuffled, **rules, gone=gone) == found
    assert [each.backup for each in found] == sorted(
        rows, key=lambda row: (row.created_at or dt.datetime.min.replace(tzinfo=dt.UTC), row.backup_id), reverse=True
    )
