"""The one command: run everything, print the tables, write the result, say by the exit code what it is worth."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import gc
import sys
from pathlib import Path

import orjson

from . import measure, report
from .chart import bars
from .server import Listing, serving

_RESULT = Path(__file__).with_name("result.json")


def run(rounds: int, *, quick: bool) -> report.Measured:
    """Run every measurement."""
    pages, repeat, long_pages = (5, 5, 300) if quick else (40, 40, 3000)
    gc.freeze()  # what is imported is no part of any walk's collections
    with serving(pages, long_pages) as urls, asyncio.Runner() as runner:
        walking = measure.walking(runner, urls, pages, rounds)
        decoding = measure.decoding(rounds, repeat)
        starting = measure.starting(urls[Listing.PLAIN], rounds)
        streamed, growth = measure.memory(urls[Listing.LONG])
    return report.Measured(decoding, walking, starting, streamed, growth)


def draw(measured: report.Measured) -> str:
    """Return the chart of what a page costs each contender."""
    labels = {
        "raw": "aiohttp + orjson, bare",
        "ours by page": "this client, by page",
        "ours": "this client, by item",
        "plain": "aiohttp + cattrs",
        "official": "official client",
    }
    values = {labels[name]: against_raw for name, _, _, against_raw in report.costs(measured)}
    own = frozenset({labels["ours"], labels["ours by page"]})
    on = report.machine()
    note = f"Loopback, Python {on['python']}, aiohttp {on['aiohttp']}, pinecone {on['pinecone']}. Less is better."
    return bars("CPU time of a page of 100 backups, the bare loop being 1", note, values, own)


def main() -> int:
    """Run the benchmark; return its exit code."""
    options = _options()
    rounds = options.rounds if options.rounds is not None else 3 if options.quick else 25
    measured = run(rounds, quick=options.quick)
    compared, controlled = report.rows(measured), report.controls(measured)
    outcome = report.verdict(compared, controlled)
    for text in (
        report.cost_table(measured),
        report.part_table(measured),
        report.table(compared),
        report.table(controlled),
    ):
        print(text, end="\n\n")
    print(f"{rounds} rounds: {outcome.name.lower().replace('_', ' ')}")
    result = {"date": dt.datetime.now(dt.UTC).date().isoformat(), "rounds": rounds} | report.as_json(measured, outcome)
    options.output.write_bytes(orjson.dumps(result, option=orjson.OPT_NON_STR_KEYS))
    if options.chart is not None:
        options.chart.write_text(draw(measured), encoding="utf-8")
    return outcome


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, help="interleaved rounds (25; below 15 they prove nothing)")
    parser.add_argument("--quick", action="store_true", help="see that everything runs; the figures prove nothing")
    parser.add_argument("--output", type=Path, default=_RESULT, help="where the result goes as JSON (%(default)s)")
    parser.add_argument("--chart", type=Path, help="where the chart goes as SVG (not drawn by default)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
