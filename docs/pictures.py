"""Draw the pictures of the command's output: python docs/pictures.py writes docs/_static/list.svg and check.svg."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from rich.console import Console

from pinecone_backups_async.cli._report import report_table, summary
from pinecone_backups_async.cli._table import backups_table
from pinecone_backups_async.coverage import assess
from pinecone_backups_async.testing import sample_backups

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
STATIC = Path(__file__).parent / "_static"
WIDTH = 132


def main() -> None:
    backups = sorted(sample_backups(24, now=NOW), key=lambda backup: backup.created_at or NOW, reverse=True)
    with Path("/dev/null").open("w") as nowhere:
        listing = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        listing.print("$ pinecone-backups list --demo")
        listing.print(backups_table(backups[:14], NOW, WIDTH))
        listing.save_svg(str(STATIC / "list.svg"), title="pinecone-backups list", unique_id="list")
        report = assess(backups, max_age=dt.timedelta(hours=26), expected=["archive"], now=NOW)
        check = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        check.print("$ pinecone-backups check --demo --max-age 26h")
        check.print(summary(report), highlight=False)
        check.print(report_table(report))
        check.save_svg(str(STATIC / "check.svg"), title="pinecone-backups check", unique_id="check")


if __name__ == "__main__":
    main()
