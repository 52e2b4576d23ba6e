"""The one command: measure every gate, print the table, return by the exit code whether the gates are kept."""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import attrs
import orjson

from .gates import GROUPS, Row, Size, measure, verdict

_PACKAGES = ("aiohttp", "attrs", "cattrs", "msgspec", "tenacity", "orjson", "pinecone", "httpx")
_QUICK = Size(rounds=3, repeat=3, pages=3, long_pages=300, shapes=10)
_INK, _OURS, _OTHERS = "#7b828c", "#2f9e74", "#8b95a3"  # readable on a light and on a dark page
_FONT = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"


def machine() -> dict[str, str]:
    """Return what a figure depends on: interpreter, system, and the versions of what is compared."""
    versions = {name: version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), "system": platform.platform()} | versions


def chart_of(rows: Sequence[Row], on: Mapping[str, str]) -> str:
    """Return an SVG of what a page costs each contender, sparse and full, the bare loop being 1."""
    found = {row.what: row.median for row in rows}
    values = {"bare loop": 1.0} | {
        f"{label}, {kind} page": found[f"walk, {name} / bare loop, {kind}"]
        for name, label in {"CPU": "this client", "official client's CPU": "official client"}.items()
        for kind in ("sparse", "full")
    }
    title = "CPU time of a page of 100 backups; a bare aiohttp + orjson loop is 1"
    note = f"Loopback, Python {on['python']}, aiohttp {on['aiohttp']}, pinecone {on['pinecone']}. Less is better."
    height = 92 + 38 * len(values)
    lines = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 760 {height}' role='img'>",
        f'<title>{title}</title><g font-family="{_FONT}" font-size="14" fill="{_INK}">',
        f"<text x='12' y='28' font-size='16' font-weight='600'>{title}</text>",
    ]
    for place, (name, value) in enumerate(sorted(values.items(), key=lambda item: item[1])):
        y, width = 58 + 38 * place, 480 * value / max(values.values())
        color, weight = (_OURS, 600) if name.startswith("this client") else (_OTHERS, 400)
        lines += [
            f"<text x='178' y='{y + 16}' text-anchor='end' font-weight='{weight}'>{name}</text>",
            f"<rect x='190' y='{y}' width='{width:.1f}' height='22' rx='3' fill='{color}'/>",
            f"<text x='{width + 198:.0f}' y='{y + 16}' font-weight='{weight}'>{value:.2f} x</text>",
        ]
    return "\n".join([*lines, f"<text x='12' y='{height - 12}' font-size='12'>{note}</text></g></svg>", ""])


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=GROUPS, help="measure one group")
    parser.add_argument("--quick", action="store_true", help="see that everything runs; the figures prove nothing")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("result.json"), help="(%(default)s)")
    parser.add_argument("--chart", type=Path, help="where the chart of the walks goes as SVG")
    options = parser.parse_args()
    if options.chart is not None and options.only not in {None, "walk"}:
        parser.error("--chart draws what the group walk measures")
    print("| what | gate | median | |\n|---|---|---|---|", flush=True)
    rows: list[Row] = []
    for row in measure(_QUICK if options.quick else Size(), options.only):
        rows.append(row)
        print(row.line(), flush=True)
    outcome, on = verdict(rows), machine()
    print("\n" + outcome.name.lower().replace("_", " "))
    result = {"date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}", "machine": on, "verdict": outcome.name, "rows": rows}
    options.output.write_bytes(orjson.dumps(result, default=attrs.asdict))
    if options.chart is not None:
        options.chart.write_text(chart_of(rows, on), encoding="utf-8")
    return outcome


if __name__ == "__main__":
    sys.exit(main())
