"""The gates and how each is measured: interleaved rounds, CPU of this process, medians of paired ratios. No print.

A round runs every contender once, one after another: what disturbs the machine disturbs neighbours alike. The order
changes, as memory is colder behind a contender that uses much of it. A ratio is taken within its round, and the median
over the rounds is what counts. Where a control, which compares a contender with itself, is far from 1, the machine was
not quiet, and the run is void.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import itertools
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Any

import attrs
import orjson
from pinecone import AsyncPinecone
from pinecone.models.backups.model import BackupModel

from pinecone_backups_async._decode import decode_page
from pinecone_backups_async.retention import RetentionPolicy, decide

from . import shapes
from .contenders import KEY, contenders
from .server import ROWS, Payload, backup_ids, page_body, started


class Verdict(IntEnum):
    """The outcomes of a run, as the exit codes of the command (2 is argparse's own)."""

    PASSED = 0
    GATE_MISSED = 1
    VOID = 3


@attrs.frozen
class Row:
    """One line of the table: what is compared, the values of the rounds, and the gate, if there is one."""

    what: str
    values: list[float]
    gate: float | None = None
    at_least: bool = False
    unit: str = ""
    control: bool = False

    @property
    def median(self) -> float:
        """Return the median of the rounds."""
        return statistics.median(self.values)

    @property
    def kept(self) -> bool:
        """Return whether the median keeps the gate; True where there is none."""
        return self.gate is None or (self.median >= self.gate if self.at_least else self.median <= self.gate)

    def line(self) -> str:
        """Return the row as a line of Markdown."""
        bound = "" if self.gate is None else f"{'≥' if self.at_least else '≤'} {self.gate:,g}{self.unit}"
        outcome = "" if self.gate is None else "pass" if self.kept else "MISSED"
        return f"| {self.what} | {bound} | {self.median:,.2f}{self.unit} | {outcome} |"


@attrs.frozen
class Size:
    """How much is measured."""

    rounds: int = 25
    repeat: int = 40
    pages: int = 40
    long_pages: int = 3_000
    shapes: int | None = None


def verdict(rows: list[Row]) -> Verdict:
    """Return what a run is worth: void, one gate missed at least, or passed."""
    if not all(0.9 <= row.median <= 1.1 for row in rows if row.control):
        return Verdict.VOID
    return Verdict.PASSED if all(row.kept for row in rows) else Verdict.GATE_MISSED


def measure(size: Size, only: str | None = None) -> Iterator[Row]:
    """Yield the rows of every group, or of one."""
    gc.freeze()  # what is imported is no part of any measurement's collections
    for group in GROUPS.values() if only is None else [GROUPS[only]]:
        yield from group(size)


def ratios(seconds: Mapping[str, list[float]], name: str, other: str) -> list[float]:
    """Return a contender's cost in the other's, for each round."""
    return [mine / theirs for mine, theirs in zip(seconds[name], seconds[other], strict=True)]


def _orders(names: Iterable[str], rounds: int) -> Iterator[list[str]]:
    """Yield the order of each round, drawn alike in every run."""
    draw, names = random.Random(1), list(names)
    return (draw.sample(names, len(names)) for _ in range(rounds))


def _interleave(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Run every contender once a round; return their seconds, without the first round, which warms up.

    There imports also write their bytecode, as an installed package has it.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for order in _orders(contenders, 1 + rounds):
        for name in order:
            gc.collect()
            seconds[name].append(contenders[name]())
    return {name: found[1:] for name, found in seconds.items()}


def _against(
    what: str, ours: Callable[[], float], baseline: Callable[[], float], rounds: int, gate: float
) -> Iterator[Row]:
    """Measure ours between two runs of the baseline, of which the second is the control."""
    seconds = _interleave({"baseline": baseline, "ours": ours, "control": baseline}, rounds)
    yield Row(what, ratios(seconds, "ours", "baseline"), gate)
    yield Row(f"control of {what}", ratios(seconds, "control", "baseline"), control=True)


def _clocked(repeat: int, action: Callable[..., object], *arguments: object) -> Callable[[], float]:
    """Return what takes an action's CPU seconds."""
    run = functools.partial(action, *arguments)  # to pass the arguments on in the loop would be measured, too

    def clocked() -> float:
        began = time.process_time()
        for _ in range(repeat):
            run()
        return (time.process_time() - began) / repeat

    return clocked


def _decoding(size: Size) -> Iterator[Row]:
    for payload, gate in zip(Payload, (1.60, 1.45, 1.45, 1.30, 3.00, 2.40), strict=True):
        ours, baseline = (_clocked(size.repeat, read, page_body(payload)) for read in (decode_page, orjson.loads))
        yield from _against(f"decode / orjson.loads, {payload}", ours, baseline, size.rounds, gate)


def _walking(size: Size) -> Iterator[Row]:
    for payload, gate in {Payload.SPARSE: 1.55, Payload.FULL: 1.35}.items():
        with started("server", payload, str(size.pages)) as (url, _):
            seconds = asyncio.run(_walks(url, size))
        yield Row(f"walk, CPU / bare loop, {payload}", ratios(seconds, "ours", "raw"), gate)
        of_ours = ratios(seconds, "official", "ours")
        yield Row(f"walk, official client's CPU / ours, {payload}", of_ours, 2.5, at_least=True)
        yield Row(f"walk, official client's CPU / bare loop, {payload}", ratios(seconds, "official", "raw"))
        yield Row(f"control: bare loop, {payload}", ratios(seconds, "control", "raw"), control=True)


async def _walks(url: str, size: Size) -> dict[str, list[float]]:
    async with contenders(url) as walks:
        for name, walk in walks.items():
            if await walk() != backup_ids(size.pages):
                raise AssertionError(f"{name} does not list what the server holds")
        seconds: dict[str, list[float]] = {name: [] for name in walks}
        for name in itertools.chain.from_iterable(_orders(walks, size.rounds)):
            gc.collect()
            began = time.process_time()
            await walks[name]()
            seconds[name].append(time.process_time() - began)
        return seconds


def _to_dict(size: Size) -> Iterator[Row]:
    async def official(url: str) -> list[BackupModel]:
        async with AsyncPinecone(api_key=KEY, host=url) as client:
            return list(await client.backups.list(limit=ROWS))

    def plain(backups: list[Any]) -> list[dict[str, Any]]:
        return [backup.to_dict() for backup in backups]

    for payload in (Payload.SPARSE, Payload.FULL):
        with started("server", payload, "1") as (url, _):
            theirs = _clocked(size.repeat, plain, asyncio.run(official(url)))
        ours = _clocked(size.repeat, plain, list(decode_page(page_body(payload)).data))
        yield from _against(f"to_dict / the official client's, {payload}", ours, theirs, size.rounds, 1.0)


def _deciding(size: Size) -> Iterator[Row]:
    bodies = [page_body(Payload.FULL, number) for number in range(10)]
    backups = [backup for body in bodies for backup in decode_page(body).data]
    repeat = max(1, size.repeat // 10)
    ours = _clocked(repeat, decide, backups, RetentionPolicy(daily=7, weekly=4, monthly=6))
    loads = _clocked(repeat, lambda: [*map(orjson.loads, bodies)])
    yield from _against("retention.decide, 1,000 backups / orjson.loads of their pages", ours, loads, size.rounds, 10)


_BEGIN, _END = "import time; began = time.process_time()", "print(time.process_time() - began)"
_AIOHTTP = f"{_BEGIN}; import aiohttp; {_END}"
_STARTS = {  # programs that print CPU seconds: of an import, or of all since the interpreter started
    "aiohttp": _AIOHTTP,
    "ours": f"{_BEGIN}; from pinecone_backups_async import BackupsClient; {_END}",
    "plugin": f"import pytest; {_BEGIN}; from pinecone_backups_async.testing import plugin; {_END}",
    "cyclopts and rich": "import time, cyclopts, rich; print(time.process_time())",
    "version": """
import io, sys, time
from pinecone_backups_async.cli import main
sys.argv, out, sys.stdout = ["pinecone-backups", "--version"], sys.stdout, io.StringIO()
try:
    main()
except SystemExit:
    print(time.process_time(), file=out)
""",
    "control": _AIOHTTP,
}


def _starting(size: Size) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as bytecode:
        runs = {name: functools.partial(_child, bytecode, "-c", program) for name, program in _STARTS.items()}
        seconds = _interleave(runs, size.rounds)
    of_aiohttp = functools.partial(ratios, seconds, other="aiohttp")
    yield Row("import of BackupsClient / import of aiohttp", of_aiohttp("ours"), 1.20)
    yield Row("the pytest plugin's import / import of aiohttp", of_aiohttp("plugin"), 0.30)
    of_libraries = ratios(seconds, "version", "cyclopts and rich")
    yield Row("--version / start with cyclopts and rich imported", of_libraries, 0.8)
    yield Row("control: import of aiohttp", of_aiohttp("control"), control=True)


def _memory(size: Size) -> Iterator[Row]:
    def megabytes(pages: int, task: str) -> float:
        with started("server", "full", str(pages)) as (url, _), tempfile.TemporaryDirectory() as bytecode:
            (cost,) = _child(bytecode, "-m", "tests.support.cost_process", url, task)
        return float(cost["growth"])

    backups, kept = size.long_pages * ROWS, size.long_pages // 3
    growth = megabytes(size.long_pages, "walk") - 150 * (backups - 10_000) / 2**20  # bytes an id
    yield Row(f"growth of the peak beyond the ids, 10,000th to {backups:,}th backup", [growth], 5, unit=" MB")
    peak = megabytes(kept, "inventory") * 2**20 / (kept * ROWS)
    yield Row(f"inventory of {kept * ROWS:,}, peak a backup", [peak], 1_500, unit=" bytes")


def _streaming(size: Size) -> Iterator[Row]:
    def cost(path: str) -> float:
        began = time.clock_gettime(clock)
        with urllib.request.urlopen(f"{service}/{path}") as response:
            lines = response.read().count(b"\n")
        if lines < size.pages * ROWS:
            raise AssertionError(f"{path} does not stream what the server holds")
        return time.clock_gettime(clock) - began

    with started("server", "full", str(size.pages)) as (url, _), started("service", url) as (service, pid):
        clock = ~pid << 3 | 2  # Linux's id of the CPU clock of another process
        ours, raw = (functools.partial(cost, path) for path in ("ours", "raw"))
        yield from _against("NDJSON by FastAPI, CPU / aiohttp and orjson", ours, raw, size.rounds, 3.0)


def _shapes(size: Size) -> Iterator[Row]:
    cpu, shape = shapes.worst(size.shapes)
    yield Row(f"the slowest response ({shape[1]} in {shape[0]}), CPU", [cpu * 1000], 100, unit=" ms")


def _child(bytecode: str, *arguments: str) -> Any:
    """Run Python in a process of its own, with a place for its bytecode; return the JSON that it prints."""
    environment = os.environ | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, *arguments]
    return orjson.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment).stdout)


GROUPS: dict[str, Callable[[Size], Iterator[Row]]] = {
    "decode": _decoding,
    "walk": _walking,
    "to_dict": _to_dict,
    "decide": _deciding,
    "start": _starting,
    "memory": _memory,
    "ndjson": _streaming,
    "shapes": _shapes,
}
