"""Draw the pictures of the command's output: python docs/pictures.py writes docs/_static/list.svg and check.svg."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from rich.console import Console
from rich.text import Text

from pinecone_backups_async.cli._grid import Line
from pinecone_backups_async.cli._report import EXIT_CODES, report_lines, verdict_lines, verdict_text
from pinecone_backups_async.cli._table import backups_lines
from pinecone_backups_async.coverage import assess
from pinecone_backups_async.testing import sample_backups

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
STATIC = Path(__file__).parent / "_static"
WIDTH = 80
DEMO_BACKUPS = 24


def draw(name: str, arguments: str, lines: list[Line]) -> None:
    """Write the picture of a terminal in which the command has printed these lines."""
    with Path("/dev/null").open("w") as nowhere:
        terminal = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, highlight=False)
        terminal.print(f"$ pinecone-backups {arguments}", *(Text.assemble(*line) for line in lines), sep="\n")
        terminal.save_svg(str(STATIC / f"{name}.svg"), title=f"pinecone-backups {name}", unique_id=name)


def main() -> None:
    backups = sample_backups(DEMO_BACKUPS, now=NOW)
    draw("list", "list --demo", backups_lines(backups, NOW, WIDTH))
    report = assess(backups, max_age=dt.timedelta(hours=26), now=NOW)
    verdict = verdict_lines(EXIT_CODES[report.state], verdict_text(report), WIDTH)
    draw("check", "check --demo --max-age 26h", [*verdict, *report_lines(report, WIDTH)])


if __name__ == "__main__":
    main()
