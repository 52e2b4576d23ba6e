"""Draw the pictures: python docs/pictures.py writes list.svg, check.svg and benchmark.svg into docs/_static.

The first two show what the command prints, the third the table of docs/performance.md.
"""

from __future__ import annotations

import datetime as dt
import re
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
INK, OURS, OTHERS = "#7b828c", "#2f9e74", "#8b95a3"  # readable on a light and on a dark page
FONT = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"


def draw(name: str, arguments: str, lines: list[Line]) -> None:
    """Write the picture of a terminal in which the command has printed these lines."""
    with Path("/dev/null").open("w") as nowhere:
        terminal = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, highlight=False)
        terminal.print(f"$ pinecone-backups {arguments}", *(Text.assemble(*line) for line in lines), sep="\n")
        terminal.save_svg(str(STATIC / f"{name}.svg"), title=f"pinecone-backups {name}", unique_id=name)


def draw_chart(page: str) -> str:
    """Return an SVG of what a page of backups costs each client, by the table of this text, the bare loop being 1."""
    walks = re.findall(r"^\| walk, (CPU|official.*CPU) / bare loop, (\w+) \|.*\| ([\d.]+) \|$", page, re.MULTILINE)
    values = {
        f"{'this' if who == 'CPU' else 'official'} client, {kind} page": float(median) for who, kind, median in walks
    }
    versions = ", ".join(re.findall(r"(?:CPython|aiohttp|pinecone) \d[\d.]*\d", page.split("## Measured")[1])[:3])
    bars = sorted({"bare loop": 1.0, **values}.items(), key=lambda bar: bar[1])
    title, height = "CPU time of a page of 100 backups; a bare aiohttp + orjson loop is 1", 92 + 38 * len(bars)
    lines = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 760 {height}' role='img'>",
        f'<title>{title}</title><g font-family="{FONT}" font-size="14" fill="{INK}">',
        f"<text x='12' y='28' font-size='16' font-weight='600'>{title}</text>",
    ]
    for place, (name, value) in enumerate(bars):
        y, width = 58 + 38 * place, 430 * value / bars[-1][1]
        color, weight = (OURS, 600) if name.startswith("this client") else (OTHERS, 400)
        lines += [
            f"<text x='236' y='{y + 16}' text-anchor='end' font-weight='{weight}'>{name}</text>",
            f"<rect x='248' y='{y}' width='{width:.1f}' height='22' rx='3' fill='{color}'/>",
            f"<text x='{width + 256:.0f}' y='{y + 16}' font-weight='{weight}'>{value:.2f} x</text>",
        ]
    note = f"<text x='12' y='{height - 12}' font-size='12'>Loopback, {versions}. Less is better.</text></g></svg>\n"
    return "\n".join([*lines, note])


def main() -> None:
    page = (STATIC.parent / "performance.md").read_text(encoding="utf-8")
    (STATIC / "benchmark.svg").write_text(draw_chart(page), encoding="utf-8")
    backups = sample_backups(DEMO_BACKUPS, now=NOW)
    draw("list", "list --demo", backups_lines(backups, NOW, WIDTH))
    report = assess(backups, max_age=dt.timedelta(hours=26), now=NOW)
    verdict = verdict_lines(EXIT_CODES[report.state], verdict_text(report), WIDTH)
    draw("check", "check --demo --max-age 26h", [*verdict, *report_lines(report, WIDTH)])


if __name__ == "__main__":
    main()
