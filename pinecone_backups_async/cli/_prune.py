"""`pinecone-backups prune`: show what a retention policy deletes, and with --yes delete it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple

import attrs
from cyclopts import Parameter

from pinecone_backups_async import Backup, ConfigurationError
from pinecone_backups_async.retention import PruneReport, RetentionPolicy, prune

from ._complaints import failure_text
from ._connection import host_of, opened_client, within
from ._formats import write_json
from ._grid import Cell, Column, Grid, Line, prose_lines
from ._options import FLAG, OUTPUT, AgeOrNone, Count, DemoConnection, Names, Number, options_of
from ._progress import progress
from ._sanitize import for_terminal
from ._streams import data_stream, print_stderr
from ._table import backup_cells, short_ids
from ._terminal import print_lines, table_width

__all__ = ["PruneOptions", "prune_"]

_RULES: Final = ("last", "hourly", "daily", "weekly", "monthly", "yearly")
_COLUMNS: Final = (
    Column("Id"),
    Column("Index"),
    Column("Name", leaves=2),
    Column("Status", leaves=1),
    Column("Age", right=True),
    Column("Action"),
    Column("Reasons", prose=True),
)
_COLOURS: Final[Mapping[str, str]] = {"delete": "yellow", "deleted": "yellow", "failed": "bold red"}


@attrs.frozen(kw_only=True)
class PruneOptions(DemoConnection):
    """The options of `prune`."""

    keep_last: Annotated[Count, Parameter(help="Keep the newest N of each index.")] = None
    keep_hourly: Annotated[Count, Parameter(help="Keep the newest of each of the last N hours with a backup.")] = None
    keep_daily: Annotated[Count, Parameter(help="The same for days, which begin at midnight UTC.")] = None
    keep_weekly: Annotated[Count, Parameter(help="The same for weeks, which begin on Monday.")] = None
    keep_monthly: Annotated[Count, Parameter(help="The same for months.")] = None
    keep_yearly: Annotated[Count, Parameter(help="The same for years.")] = None
    keep_within: Annotated[
        AgeOrNone, Parameter(help="Keep all that are at most this much older than the newest of the index: 48h, 7d.")
    ] = None
    name: Annotated[
        Names, Parameter(metavar="PATTERN", help="Delete only backups with such a name: 'nightly-*'; may be repeated.")
    ] = ()
    index: Annotated[Names, Parameter(help="Delete only backups of this index; may be repeated.")] = ()
    gone: Annotated[bool, Parameter(help="Also delete backups of deleted indexes.", **FLAG)] = False
    max_deletes: Annotated[Number, Parameter(help="Delete nothing if more than N would go.")] = 20
    yes: Annotated[bool, Parameter(help="Delete. Without it, show what would go.", **FLAG)] = False
    output: Annotated[Literal["table", "json"], Parameter(help="How the report is written.", **OUTPUT)] = "table"

    def policy(self) -> RetentionPolicy:
        """Return the policy; raise ConfigurationError if nothing says what to keep."""
        counts: dict[str, Any] = {rule: getattr(self, f"keep_{rule}") or 0 for rule in _RULES}
        if self.keep_within is None and not any(counts.values()):
            options = ", ".join(f"--keep-{rule}" for rule in _RULES)
            raise ConfigurationError(f"nothing says what to keep: use {options} or --keep-within")
        return RetentionPolicy(**counts, within=self.keep_within, names=self.name or None)


def prune_(options: Annotated[PruneOptions, options_of] = PruneOptions()) -> int:
    """Delete the backups that no --keep option keeps.

    Without --yes it shows what would go and what stays, and why. It deletes nothing.

    A backup stays if any --keep option keeps it.
    The newest Ready backup of each index always stays.
    """
    return asyncio.run(_prune(options, options.policy()))


async def _prune(options: PruneOptions, policy: RetentionPolicy) -> int:
    with progress("Deleting backups…" if options.yes else "Reading backups…", host_of(options)):
        async with opened_client(options) as client, within(options.timeout, "the command"):
            report = await prune(
                client,
                policy,
                indexes=options.index or None,
                gone=options.gone,
                max_deletes=options.max_deletes,
                dry_run=not options.yes,
            )
    rows = _rows(report)
    if options.output == "json":
        write_json(_facts(report, rows), data_stream())
    else:
        width = table_width()
        print_lines([*_lines(rows, width), *prose_lines(_summary(report, options.max_deletes), "dim", width)])
    for backup, error in report.failed:
        print_stderr(f"pinecone-backups: {backup.backup_id} was not deleted: {failure_text(error)}")
    if report.error is not None:
        print_stderr(f"pinecone-backups: stopped by {failure_text(report.error)}")
    return 1 if report.failed or report.error else 0


class _Row(NamedTuple):
    backup: Backup
    action: str
    reasons: Sequence[str]


def _rows(report: PruneReport) -> list[_Row]:
    """Return what became of each backup and why, by index, newest first."""
    failed = {backup.backup_id: str(error) for backup, error in report.failed}
    deleted = {backup.backup_id for backup in report.deleted}
    delete, keep = ("delete", "keep") if report.dry_run else ("deleted", "kept")
    rows: list[_Row] = []
    for backup, kept, reasons in (attrs.astuple(each, recurse=False) for each in report.decisions):
        if backup.backup_id in failed:
            rows.append(_Row(backup, "failed", [failed[backup.backup_id]]))
        elif backup.backup_id in deleted:
            rows.append(_Row(backup, delete, reasons))
        else:
            rows.append(_Row(backup, keep, reasons if kept else ["not reached"]))
    return sorted(rows, key=lambda row: row.backup.source_index_name)


def _lines(rows: Sequence[_Row], width: int | None) -> list[Line]:
    now = dt.datetime.now(dt.UTC)
    short = {} if width is None else short_ids([row.backup.backup_id for row in rows])
    cells: list[list[Cell]] = []
    for backup, action, reasons in rows:
        *known, _, _, _ = backup_cells(backup, short, now)  # all but its size, records and region
        cells.append([*known, Cell(action, _COLOURS.get(action, "green")), Cell(for_terminal(", ".join(reasons)))])
    return list(Grid(_COLUMNS, cells, width).lines()) if rows else []


def _summary(report: PruneReport, max_deletes: int) -> str:
    kept = f"{len(report.kept)} {'stays' if len(report.kept) == 1 else 'stay'}"
    if not report.dry_run:
        return f"{len(report.deleted)} deleted, {len(report.failed)} failed, {kept}"
    refused = f"; that is more than --max-deletes {max_deletes}" if len(report.deleted) > max_deletes else ""
    return f"{len(report.deleted)} would be deleted, {kept}{refused}. Nothing was deleted: --yes deletes."


def _facts(report: PruneReport, rows: Sequence[_Row]) -> dict[str, Any]:
    return {
        "dry_run": report.dry_run,
        "error": None if report.error is None else str(report.error),
        "backups": [{"action": row.action, "reasons": list(row.reasons), **row.backup.to_dict()} for row in rows],
    }
