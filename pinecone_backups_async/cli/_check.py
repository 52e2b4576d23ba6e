"""`pinecone-backups check`: is every index covered? Knows the inventory, and where the report is written."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
from collections.abc import Iterable
from typing import Final, Literal

import attrs

from pinecone_backups_async import Backup, BackupsClient, BackupsError, ConfigurationError, TransportTimeoutError
from pinecone_backups_async.coverage import CoverageReport, assess

from ._filters import parse_duration
from ._listing import opened_client
from ._report import EXIT_CODES, critical, report_json, report_prometheus, report_table, summary
from ._sanitize import for_terminal
from ._streams import Terminal, talk

__all__ = ["CheckOptions", "CheckOutput", "check", "inventory_within"]

_NARROW: Final = 70
CheckOutput = Literal["table", "json", "prometheus"]


@attrs.frozen(kw_only=True)
class CheckOptions:
    """Hold what was asked for, checked: `indexes` are all that is judged (any, if none), `expected` must be there."""

    max_age: dt.timedelta
    indexes: frozenset[str]
    expected: frozenset[str]
    timeout: dt.timedelta | None
    output: CheckOutput
    demo: bool

    @classmethod
    def checked(
        cls,
        *,
        max_age: str,
        indexes: Iterable[str],
        expected: Iterable[str],
        timeout: str | None,
        output: CheckOutput,
        demo: bool,
    ) -> CheckOptions:
        """Return the options; raise ConfigurationError for a duration that is none."""
        only = frozenset(indexes)
        return cls(
            max_age=_duration("--max-age", max_age),
            indexes=only,
            expected=only.union(expected),
            timeout=None if timeout is None else _duration("--timeout", timeout),
            output=output,
            demo=demo,
        )

    def wants(self, backup: Backup) -> bool:
        """Say whether a backup counts."""
        return not self.indexes or backup.source_index_name in self.expected


def _duration(option: str, text: str) -> dt.timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigurationError(f"{option}: {error}") from None


async def check(options: CheckOptions) -> int:
    """Write the report and return the exit code of a monitoring plugin; raise BackupsError where there is none."""
    async with opened_client(demo=options.demo) as client:
        try:
            backups = await inventory_within(client, options.timeout)
        except BackupsError as error:
            if options.output == "table":
                print(critical(error))
            raise
    report = assess(filter(options.wants, backups), max_age=options.max_age, expected=options.expected)
    _write(report, options.output)
    return EXIT_CODES[report.state]


async def inventory_within(client: BackupsClient, timeout: dt.timedelta | None) -> list[Backup]:
    """Return the inventory; raise TransportTimeoutError where it takes longer than that, if there is a limit."""
    limit = asyncio.timeout(None if timeout is None else timeout.total_seconds())
    try:
        async with limit:
            return await client.inventory()
    except TimeoutError:
        if not limit.expired():
            raise
        raise TransportTimeoutError(f"no proven inventory within {timeout}") from None


def _write(report: CoverageReport, output: CheckOutput) -> None:
    # Monitoring reads the first line of stdout; where stdout is data, the line is talk.
    if output == "table":
        print(summary(report))
        console = Terminal()
        ascii_only = console.options.ascii_only
        console.print(report_table(report, narrow=console.width < _NARROW, ascii_only=ascii_only))
        return
    talk(summary(report))
    text = report_json(report) if output == "json" else report_prometheus(report)
    if sys.stdout.isatty():
        text = "\n".join(for_terminal(line) for line in text.split("\n"))
    sys.stdout.write(text)
