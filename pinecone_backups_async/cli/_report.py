"""A coverage report as a table, JSON, Prometheus' text, and the line that monitoring reads. Writes nothing."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from rich import box
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from pinecone_backups_async import BackupsError
from pinecone_backups_async.coverage import CoverageReport, IndexCoverage, State

from ._sanitize import for_terminal
from ._table import age

__all__ = ["EXIT_CODES", "critical", "report_json", "report_prometheus", "report_table", "summary", "unknown"]

EXIT_CODES: Final = {State.HEALTHY: 0, State.STALE: 1, State.FAILING: 2, State.MISSING: 2}
_WORDS: Final = {0: "OK", 1: "WARNING", 2: "CRITICAL"}
_COLOURS: Final = {
    State.HEALTHY: "green",
    State.STALE: "yellow",
    State.FAILING: "bold red",
    State.MISSING: "bold magenta",
}
_BAR: Final = 16
_NAME: Final = 20
_MOST_NAMED: Final = 5


def summary(report: CoverageReport) -> str:
    """Return the line of a monitoring plugin: the state, how many indexes are in which, and performance data."""
    told = [_told(report, state) for state in State if report.count(state)]
    if not told:
        told = ["no index is left to judge" if report.indexes else "no index has a backup"]
    hidden = [index for index in report.living if index.state is State.HEALTHY and index.failed_since_ready]
    if hidden:
        told.append(f"the newest backup failed{_names(hidden)}")
    ages = [index.age.total_seconds() for index in report.living if index.age is not None]
    oldest = f" oldest_ready={max(ages):.0f}s;{report.max_age.total_seconds():.0f}" if ages else ""
    numbers = " ".join(f"{state}={report.count(state)}" for state in State)
    return f"{_line(_WORDS[EXIT_CODES[report.state]], ', '.join(told))} | {numbers}{oldest}"


def _told(report: CoverageReport, state: State) -> str:
    indexes = [index for index in report.living if index.state is state]
    return f"{len(indexes)} {state}{'' if state is State.HEALTHY else _names(indexes)}"


def _names(indexes: Iterable[IndexCoverage]) -> str:
    names = [index.source_index_name for index in indexes]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f" ({', '.join(names[:_MOST_NAMED])}{more})"


def critical(error: BackupsError) -> str:
    """Return the line of a monitoring plugin where there is no inventory to judge."""
    return _line("CRITICAL", f"the inventory failed: {error}")


def unknown(complaint: str) -> str:
    """Return the line of a monitoring plugin that was not used rightly."""
    return _line("UNKNOWN", complaint)


def _line(word: str, text: str) -> str:
    # What follows a bar is performance data, so no text may hold one.
    return f"BACKUPS {word} - {for_terminal(text).replace('|', '/')}"


def report_table(report: CoverageReport, *, narrow: bool = False, ascii_only: bool = False) -> Table:
    """Return the table: a line for each index, the age of its newest Ready backup as a bar of max_age.

    A narrow one does without bars, numbers and sizes.
    """
    table = Table(box=box.SIMPLE_HEAD, collapse_padding=True)
    longest = max((len(index.source_index_name) for index in report.indexes), default=0)
    table.add_column("Index", overflow="fold", min_width=min(longest, _NAME))
    table.add_column("State", no_wrap=True)
    table.add_column("Newest Ready" if narrow else f"Newest Ready, of {_hours(report.max_age)}", no_wrap=True)
    for column in () if narrow else ("Backups", "Size"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("Remarks", overflow="fold")
    strokes = "#-" if ascii_only else "━─"
    for index in report.indexes:
        style = "dim" if index.gone else _COLOURS[index.state]
        table.add_row(
            Text(for_terminal(index.source_index_name), style="dim" if index.gone else "bold"),
            Text("gone" if index.gone else index.state, style=style),
            (Text() if narrow else _bar(index, report.max_age, style, strokes)) + _since(index, report.now),
            *(() if narrow else (str(index.backups), decimal(index.size_bytes))),
            _remarks(index),
        )
    return table


def _hours(duration: dt.timedelta) -> str:
    return f"{duration.total_seconds() / 3600:g}h"


def _since(index: IndexCoverage, now: dt.datetime) -> Text:
    return Text("none" if index.newest_ready is None else age(index.newest_ready.created_at, now))


def _bar(index: IndexCoverage, max_age: dt.timedelta, style: str, strokes: str) -> Text:
    filled = 0 if index.age is None else min(_BAR, round(_BAR * (index.age / max_age)))
    return Text(strokes[0] * filled, style=style) + Text(strokes[1] * (_BAR - filled) + " ", style="grey50")


def _remarks(index: IndexCoverage) -> str:
    remarks = [
        f"{len(index.failed)} failed" if index.failed else "",
        "the newest failed" if index.failed_since_ready else "",
        f"{len(index.stuck)} stuck" if index.stuck else "",
        "expected, but has no backup" if index.source_index_id is None else "",
    ]
    return ", ".join(remark for remark in remarks if remark)


def report_json(report: CoverageReport) -> str:
    """Return the report as JSON: durations in seconds, times in RFC 3339; it ends with a line break."""
    facts = {
        "state": report.state,
        "now": report.now.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
        "max_age_seconds": report.max_age.total_seconds(),
        "indexes": [_index_facts(index) for index in report.indexes],
    }
    return json.dumps(facts, indent=2) + "\n"


def _index_facts(index: IndexCoverage) -> dict[str, Any]:
    return {
        "source_index_name": index.source_index_name,
        "source_index_id": index.source_index_id,
        "state": index.state,
        "gone": index.gone,
        "age_seconds": None if index.age is None else index.age.total_seconds(),
        "backups": index.backups,
        "size_bytes": index.size_bytes,
        "record_count": index.record_count,
        "failed_since_ready": index.failed_since_ready,
        "newest_ready": None if index.newest_ready is None else index.newest_ready.to_dict(),
        "failed": [backup.backup_id for backup in index.failed],
        "stuck": [backup.backup_id for backup in index.stuck],
    }


_GAUGES: Final[dict[str, tuple[str, Callable[[IndexCoverage], float | None]]]] = {
    "age_seconds": (
        "Age of the newest Ready backup.",
        lambda index: None if index.age is None else index.age.total_seconds(),
    ),
    "stored": ("Number of backups.", lambda index: index.backups),
    "size_bytes": ("Total size of the backups.", lambda index: index.size_bytes),
    "records": ("Total number of records in the backups.", lambda index: index.record_count),
    "failed": ("Number of failed backups.", lambda index: len(index.failed)),
    "stuck": ("Number of backups that do not get ready.", lambda index: len(index.stuck)),
    "failed_since_ready": (
        "Whether a backup failed since the newest Ready one.",
        lambda index: int(index.failed_since_ready),
    ),
}


def report_prometheus(report: CoverageReport) -> str:
    """Return the report in Prometheus' text format, for a textfile collector; indexes that are gone are left out."""
    return "\n".join(_prometheus_lines(report)) + "\n"


def _prometheus_lines(report: CoverageReport) -> Iterator[str]:
    yield "# HELP pinecone_backups_state Whether an index is in a state: 1 or 0."
    yield "# TYPE pinecone_backups_state gauge"
    for index in report.living:
        for state in State:
            yield f'pinecone_backups_state{{{_labels(index)},state="{state}"}} {int(index.state is state)}'
    for name, (text, value_of) in _GAUGES.items():
        yield f"# HELP pinecone_backups_{name} {text}"
        yield f"# TYPE pinecone_backups_{name} gauge"
        for index in report.living:
            value = value_of(index)
            if value is not None:
                yield f"pinecone_backups_{name}{{{_labels(index)}}} {value}"
    yield "# HELP pinecone_backups_max_age_seconds Age beyond which an index is stale."
    yield "# TYPE pinecone_backups_max_age_seconds gauge"
    yield f"pinecone_backups_max_age_seconds {report.max_age.total_seconds()}"


def _labels(index: IndexCoverage) -> str:
    names = {"index": index.source_index_name, "index_id": index.source_index_id or ""}
    return ",".join(f'{name}="{_label_value(value)}"' for name, value in names.items())


def _label_value(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
