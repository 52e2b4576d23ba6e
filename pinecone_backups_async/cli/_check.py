"""`pinecone-backups check`: is every index covered? Knows the inventory, and where the report is written."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Collection
from typing import Literal

from rich.console import Console

from pinecone_backups_async import BackupsError, ConfigurationError
from pinecone_backups_async.coverage import CoverageReport, assess

from ._filters import parse_duration
from ._listing import opened_client
from ._report import EXIT_CODES, report_json, report_prometheus, report_table, summary
from ._sanitize import for_terminal

__all__ = ["CheckOutput", "check"]

CheckOutput = Literal["table", "json", "prometheus"]


async def check(*, max_age: str, indexes: Collection[str], output: CheckOutput, demo: bool) -> int:
    """Write the report and return the exit code of a monitoring plugin; raise BackupsError where there is none."""
    try:
        limit = parse_duration(max_age)
    except ValueError as error:
        raise ConfigurationError(f"--max-age: {error}") from None
    async with opened_client(demo=demo) as client:
        try:
            backups = await client.inventory()
        except BackupsError as error:
            if output == "table":
                print(f"BACKUPS CRITICAL - the inventory failed: {for_terminal(str(error))}")
            raise
    wanted = [backup for backup in backups if not indexes or backup.source_index_name in indexes]
    report = assess(wanted, max_age=limit, expected=indexes, now=dt.datetime.now(dt.UTC))
    _write(report, output)
    return EXIT_CODES[report.state]


def _write(report: CoverageReport, output: CheckOutput) -> None:
    # Monitoring reads the first line of stdout; where stdout is data, the line is talk.
    print(summary(report), file=sys.stdout if output == "table" else sys.stderr)
    if output == "table":
        Console().print(report_table(report))
    elif output == "json":
        print(report_json(report))
    else:
        sys.stdout.write(report_prometheus(report))
