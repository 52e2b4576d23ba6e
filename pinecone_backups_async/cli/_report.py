"""A coverage report for people and monitoring hosts: the verdict, performance data, the table. Writes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from pinecone_backups_async.coverage import CoverageReport, IndexCoverage, State

from ._grid import Cell, Column, Grid, Line, prose_lines
from ._sanitize import for_plugin
from ._table import age, size_text

__all__ = ["EXIT_CODES", "performance_data", "plugin_line", "report_lines", "verdict_lines", "verdict_text"]

EXIT_CODES: Final = {State.HEALTHY: 0, State.STALE: 1, State.FAILING: 2, State.MISSING: 2}
_WORDS: Final = {
    0: Cell("OK", "bold green"),
    1: Cell("WARNING", "bold yellow"),
    2: Cell("CRITICAL", "bold red"),
    3: Cell("UNKNOWN", "bold magenta"),
}
_COLOURS: Final = {
    State.HEALTHY: "green",
    State.STALE: "yellow",
    State.FAILING: "bold red",
    State.MISSING: "bold magenta",
}
_BAR: Final = 16
_MOST_NAMED: Final = 5


def plugin_line(code: int, text: str) -> str:
    """Return the first line of a monitoring plugin, without performance data."""
    return f"BACKUPS {_WORDS[code].text} - {for_plugin(text)}"


def verdict_lines(code: int, text: str, width: int | None) -> list[Line]:
    """Return the verdict for a person."""
    word = _WORDS[code]
    margin = len(word.text) + 2
    parts = prose_lines(for_plugin(text), "", None if width is None else max(20, width - margin))
    begin = [word, Cell("  ")]
    return [[*(begin if number == 0 else [Cell(" " * margin)]), *part] for number, part in enumerate(parts)]


def verdict_text(report: CoverageReport) -> str:
    """Return how many indexes are in which state, and which ones need care."""
    told = [_counted(report, state) for state in State if report.count(state)]
    if not told:
        told = ["no index is left to judge" if report.indexes else "no index has a backup"]
    hidden = [index for index in report.living if index.state is State.HEALTHY and index.failed_since_ready]
    if hidden:
        told.append(f"the newest backup failed{_names(hidden)}")
    return ", ".join(told)


def performance_data(report: CoverageReport) -> str:
    """Return the numbers that a monitoring host draws: how many indexes are in which state, and the greatest age."""
    ages = [index.age.total_seconds() for index in report.living if index.age is not None]
    oldest = f" oldest_ready={max(ages):.0f}s;{report.max_age.total_seconds():.0f}" if ages else ""
    return " ".join(f"{state}={report.count(state)}" for state in State) + oldest


def _counted(report: CoverageReport, state: State) -> str:
    indexes = [index for index in report.living if index.state is state]
    return f"{len(indexes)} {state}{'' if state is State.HEALTHY else _names(indexes)}"


def _names(indexes: Iterable[IndexCoverage]) -> str:
    names = [index.source_index_name for index in indexes]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f" ({', '.join(names[:_MOST_NAMED])}{more})"


def report_lines(report: CoverageReport, width: int | None, *, strokes: str = "━─") -> list[Line]:
    """Return the table: a line for each index, the age of its newest Ready backup also as a bar of max_age.

    Where it is too wide, the bar, the sizes and the numbers of backups leave, in this order.
    """
    columns = (
        Column("Index"),
        Column("State"),
        Column("Newest Ready", right=True),
        Column(f"of {_hours(report.max_age)}", leaves=1),
        Column("Backups", right=True, leaves=3),
        Column("Size", right=True, leaves=2),
        Column("Remarks", prose=True),
    )
    return list(Grid(columns, [_cells(index, report, strokes) for index in report.indexes], width).lines())


def _cells(index: IndexCoverage, report: CoverageReport, strokes: str) -> list[Cell]:
    style = "dim" if index.gone else _COLOURS[index.state]
    filled = 0 if index.age is None else min(_BAR, round(_BAR * (index.age / report.max_age)))
    ready = index.newest_ready
    return [
        Cell(for_plugin(index.source_index_name), "dim" if index.gone else "bold"),
        Cell("gone" if index.gone else index.state, style),
        Cell("none" if ready is None else age(ready.created_at, report.now)),
        Cell(strokes[0] * filled + strokes[1] * (_BAR - filled), style),
        Cell(str(index.backups)),
        Cell(size_text(index.size_bytes)),
        Cell(_remarks(index)),
    ]


def _hours(duration: dt.timedelta) -> str:
    return f"{duration.total_seconds() / 3600:g}h"


def _remarks(index: IndexCoverage) -> str:
    remarks = [
        f"{len(index.failed)} failed" if index.failed else "",
        "the newest failed" if index.failed_since_ready else "",
        f"{len(index.stuck)} stuck" if index.stuck else "",
        "expected, but has no backup" if index.source_index_id is None else "",
    ]
    return ", ".join(remark for remark in remarks if remark)
