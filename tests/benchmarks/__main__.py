"""The one command: measure every gate, print the table, say by the exit code what it is worth.

With result files as arguments it sets these side by side instead.
"""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import attrs
import orjson

from .chart import bars
from .gates import Row, Size, measure, verdict

_PACKAGES = ("aiohttp", "attrs", "cattrs", "msgspec", "tenacity", "orjson", "pinecone", "httpx")
_QUICK = Size(rounds=3, repeat=3, pages=3, long_pages=300, shapes=10)


def line_of(row: Row) -> str:
    """Return a row as a line of Markdown."""
    sign = "≥" if row.at_least else "≤"
    bounds = ["" if bound is None else f"{sign} {bound:,g}{row.unit}" for bound in (row.gate, row.stretch)]
    outcome = "" if row.gate is None else "MISSED" if not row.keeps(row.gate) else "pass"
    outcome += ", stretch" if outcome == "pass" and row.keeps(row.stretch) else ""
    return f"| {row.what} | {' | '.join(bounds)} | {row.median:,.2f}{row.unit} | {outcome} |"


def side_by_side(results: Sequence[dict[str, Any]]) -> str:
    """Return the rows of several runs as one Markdown table, a column for each run."""
    heads = [f"run {number}" for number in range(1, len(results) + 1)]
    lines = [f"| what | gate | {' | '.join(heads)} |", "|---|---|" + "---|" * len(results)]
    for place, first in enumerate(results[0]["rows"]):
        row = Row(**{**first, "what": first["what"].split(" (")[0]})
        gate = "" if row.gate is None else f"{'≥' if row.at_least else '≤'} {row.gate:,g}{row.unit}"
        medians = (Row(**result["rows"][place]).median for result in results)
        lines.append(f"| {row.what} | {gate} | {' | '.join(f'{median:,.2f}{row.unit}' for median in medians)} |")
    return "\n".join([*lines, f"| verdict | | {' | '.join(result['verdict'] for result in results)} |"])


def machine() -> dict[str, str]:
    """Return what a figure depends on: interpreter, system, and the versions of what is compared."""
    versions = {name: version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), "system": platform.platform()} | versions


def chart_of(rows: Sequence[dict[str, Any]]) -> str:
    """Return the chart of what a page costs each contender, sparse and full, the bare loop being 1."""
    found = {row["what"]: Row(**row).median for row in rows}
    names = {"CPU": "this client", "official client's CPU": "official client"}
    values = {"bare loop": 1.0} | {
        f"{label}, {kind} page": found[f"walk, {name} / bare loop, {kind}"]
        for kind in ("sparse", "full")
        for name, label in names.items()
    }
    on = machine()
    note = f"Loopback, Python {on['python']}, aiohttp {on['aiohttp']}, pinecone {on['pinecone']}. Less is better."
    own = frozenset(label for label in values if label.startswith("this client"))
    return bars("CPU time of a page of 100 backups; a bare aiohttp + orjson loop is 1", note, values, own)


def main() -> int:
    """Run the benchmark, or compare results; return the exit code."""
    options = _options()
    if options.results:
        results = [orjson.loads(path.read_bytes()) for path in options.results]
        print(side_by_side(results))
        if options.chart is not None:
            options.chart.write_text(chart_of(results[-1]["rows"]), encoding="utf-8")
        return 0
    print("| what | gate | stretch | median | |\n|---|---|---|---|---|", flush=True)
    rows: list[Row] = []
    for row in measure(_QUICK if options.quick else Size(), options.only):
        rows.append(row)
        print(line_of(row), flush=True)
    outcome = verdict(rows)
    print(f"\n{outcome.name.lower().replace('_', ' ')}")
    date = dt.datetime.now(dt.UTC).date().isoformat()
    result = {"date": date, "machine": machine(), "verdict": outcome.name.lower().replace("_", " "), "rows": rows}
    options.output.write_bytes(orjson.dumps(result, default=attrs.asdict))
    return outcome


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("results", nargs="*", type=Path, help="results to set side by side; nothing is measured then")
    parser.add_argument("--only", default="", help="measure one group: decode, walk, to_dict, decide, start, ...")
    parser.add_argument("--quick", action="store_true", help="see that everything runs; the figures prove nothing")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("result.json"), help="(%(default)s)")
    parser.add_argument("--chart", type=Path, help="where the chart of the last result goes as SVG")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
