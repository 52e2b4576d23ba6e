"""`pinecone-backups check`: is every index covered? Knows the inventory, and where the report is written."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final, Literal

import attrs
from cyclopts import Parameter

from pinecone_backups_async import Backup, BackupsError, ConfigurationError
from pinecone_backups_async.coverage import CoverageReport, assess

from ._complaints import failure_text, use_text
from ._connection import host_of, opened_client, within
from ._formats import write_json
from ._grid import prose_lines
from ._options import FLAG, OUTPUT, Age, DemoConnection, Names, options_of
from ._progress import passes_shown, progress
from ._report import EXIT_CODES, performance_data, plugin_line, report_lines, verdict_lines, verdict_text
from ._report_data import report_facts, report_prometheus
from ._sanitize import for_plugin, for_terminal
from ._streams import data_stream, is_terminal, print_stderr
from ._terminal import print_lines, strokes, table_width

if TYPE_CHECKING:
    from pinecone_backups_async import Index

__all__ = ["CheckOptions", "check_", "print_verdict"]

_FAILED: Final = 2
_WRONG_USE: Final = 3
_RUNNING: Final = frozenset({"Ready", "ScalingUp", "ScalingDown", "ScalingUpPodSize", "ScalingDownPodSize"})


@attrs.frozen(kw_only=True)
class CheckOptions(DemoConnection):
    """The options of `check`."""

    max_age: Annotated[Age, Parameter(help="How old the newest Ready backup may be: 90s, 15m, 26h, 7d, 2w.")]
    index: Annotated[Names, Parameter(help="Judge only this index, and expect it; may be repeated.")] = ()
    expect: Annotated[Names, Parameter(help="Expect this index, besides all that have backups; may be repeated.")] = ()
    all_indexes: Annotated[bool, Parameter(help="Expect every index of the project that can be backed up.", **FLAG)] = (
        False
    )
    output: Annotated[
        Literal["table", "json", "prometheus"], Parameter(help="How the report is written.", **OUTPUT)
    ] = "table"

    def wants(self, backup: Backup) -> bool:
        """Return whether a backup counts."""
        return not self.index or backup.source_index_name in {*self.index, *self.expect}


def check_(options: Annotated[CheckOptions, options_of]) -> int:
    """Check that every index has a recent Ready backup.

    An index that never had a backup is not in the listing: name it with --expect, or use --all-indexes.
    """
    try:
        return asyncio.run(_check(options))
    except ConfigurationError as error:
        print_verdict(_WRONG_USE, use_text(error), options.output)
        return _WRONG_USE
    except BackupsError as error:
        print_verdict(_FAILED, f"the check failed: {failure_text(error)}", options.output)
        return _FAILED


async def _check(options: CheckOptions) -> int:
    if options.index and options.all_indexes:
        raise ConfigurationError("--index and --all-indexes cannot be used together")
    with progress("Checking backups…", host_of(options)) as shown, passes_shown(shown, "Checking backups…"):
        async with opened_client(options) as client, within(options.timeout, "the check"):
            backups = await client.inventory()
            indexes = await client.list_indexes() if options.all_indexes else []
    left_out = {index.name: reason for index in indexes if (reason := _why_not(index)) is not None}
    expected = {*options.index, *options.expect, *(index.name for index in indexes if index.name not in left_out)}
    report = assess(filter(options.wants, backups), max_age=options.max_age, expected=expected)
    _write(report, left_out, options)
    return EXIT_CODES[report.state]


def _why_not(index: Index) -> str | None:
    """Return why no backup of an index is expected, None if one is."""
    if not index.can_be_backed_up:
        return "cannot be backed up"
    return None if index.state in _RUNNING else index.state or "no state"


def print_verdict(code: int, text: str, output: str, numbers: str = "") -> None:
    """Print a verdict once: on stdout, for a person or a monitoring host; on stderr if stdout is data."""
    if output == "table" and is_terminal(sys.stdout):
        print_lines(verdict_lines(code, text, table_width()))
        return
    line = plugin_line(code, text) + (f" | {numbers}" if numbers else "")
    if output == "table":
        print(line)
    else:
        print_stderr(line)


def _write(report: CoverageReport, left_out: dict[str, str], options: CheckOptions) -> None:
    code = EXIT_CODES[report.state]
    print_verdict(code, verdict_text(report), options.output, performance_data(report))
    if options.output == "table":
        remark = "; ".join(f"{name} ({reason})" for name, reason in left_out.items())
        remarks = prose_lines(for_plugin(f"Not judged: {remark}"), "dim", table_width()) if left_out else []
        print_lines([*report_lines(report, table_width(), strokes=strokes()), *remarks])
    elif options.output == "json":
        facts = report_facts(report) | ({"not_judged": left_out} if options.all_indexes else {})
        write_json(facts, data_stream())
    else:
        data_stream().writelines(_shown(report_prometheus(report)))


def _shown(text: str) -> Iterator[str]:
    """Yield the lines of data; on a terminal they must not steer it."""
    on_terminal = is_terminal(sys.stdout)
    for line in text.splitlines():
        yield f"{for_terminal(line) if on_terminal else line}\n"
