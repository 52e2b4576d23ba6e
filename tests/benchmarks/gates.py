"""The gates and how each is measured: interleaved rounds, CPU of this process, medians of paired ratios. No print.

A round runs every contender once, one after another: what disturbs the machine disturbs neighbours alike. A ratio is
taken within its round, and the median over the rounds is what counts. Where a control, which compares a contender with
itself, is far from 1, the machine was not quiet, and the run is void.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any

import attrs
import orjson
from pinecone import AsyncPinecone
from pinecone.models.backups.model import BackupModel

from pinecone_backups_async._decode import decode_page
from pinecone_backups_async.retention import RetentionPolicy, decide

from . import shapes
from .contenders import CONTENDERS, KEY, Walk
from .payloads import ROWS, Payload, backup_ids, page_body
from .server import Listing, serving

__all__ = ["Row", "Size", "Verdict", "measure", "verdict"]

_CONTROL_LOW, _CONTROL_HIGH = 0.9, 1.1


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
    stretch: float | None = None
    at_least: bool = False
    unit: str = ""
    control: bool = False

    @property
    def median(self) -> float:
        """Return the median of the rounds."""
        return statistics.median(self.values)

    def keeps(self, bound: float | None) -> bool:
        """Return whether the median keeps a bound; True where there is none."""
        return bound is None or (self.median >= bound if self.at_least else self.median <= bound)


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
    if not all(_CONTROL_LOW <= row.median <= _CONTROL_HIGH for row in rows if row.control):
        return Verdict.VOID
    return Verdict.PASSED if all(row.keeps(row.gate) for row in rows) else Verdict.GATE_MISSED


def measure(size: Size, only: str = "") -> Iterator[Row]:
    """Yield the rows of every group whose name begins with `only`."""
    groups: dict[str, Callable[[Size], Iterator[Row]]] = {
        "decode": _decoding,
        "walk": _walking,
        "to_dict": _to_dict,
        "decide": _deciding,
        "start": _starting,
        "memory": _memory,
        "ndjson": _streaming,
        "shapes": _shapes,
    }
    gc.freeze()  # what is imported is no part of any measurement's collections
    for name, group in groups.items():
        if name.startswith(only):
            yield from group(size)


def interleave(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Run every contender once a round, in their order, and return their seconds."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            gc.collect()
            seconds[name].append(contender())
    return seconds


def ratios(seconds: Mapping[str, list[float]], name: str, other: str) -> list[float]:
    """Return a contender's cost in the other's, for each round."""
    return [mine / theirs for mine, theirs in zip(seconds[name], seconds[other], strict=True)]


def _clocked(action: Callable[[], object], repeat: int = 1) -> Callable[[], float]:
    """Return a measurement of the CPU seconds of an action."""

    def measurement() -> float:
        began = time.process_time()
        for _ in range(repeat):
            action()
        return (time.process_time() - began) / repeat

    return measurement


def _against(baseline: Callable[[], object], ours: Callable[[], object], size: Size) -> dict[str, list[float]]:
    """Measure ours between two runs of the baseline."""
    for _ in range(5):
        ours()
    runs = {"baseline": baseline, "ours": ours, "control": baseline}
    return interleave({name: _clocked(action, size.repeat) for name, action in runs.items()}, size.rounds)


def _decoding(size: Size) -> Iterator[Row]:
    gates = {
        Payload.SPARSE: (1.60, 1.45),
        Payload.FULL: (1.45, 1.30),
        Payload.ABSENT: (1.45, 1.30),
        Payload.TYPED: (1.30, 1.15),
        Payload.UNKNOWN: (3.00, 2.60),
        Payload.DISTINCT: (2.40, 2.10),
    }
    for payload, (gate, stretch) in gates.items():
        body = page_body(payload)
        seconds = _against(functools.partial(orjson.loads, body), functools.partial(decode_page, body), size)
        yield Row(f"decode / orjson.loads, {payload}", ratios(seconds, "ours", "baseline"), gate, stretch)
        yield Row(f"control: orjson, {payload}", ratios(seconds, "control", "baseline"), control=True)


def _walking(size: Size) -> Iterator[Row]:
    gates = {Listing.SPARSE: (1.55, 1.35), Listing.FULL: (1.35, 1.20)}
    with serving(size.pages) as urls, asyncio.Runner() as runner:
        for listing, (gate, stretch) in gates.items():
            seconds = _walks(runner, urls[listing], size)
            yield Row(f"walk, CPU / bare loop, {listing}", ratios(seconds, "ours", "raw"), gate, stretch)
            of_official = ratios(seconds, "official", "ours")
            yield Row(f"walk, official client's CPU / ours, {listing}", of_official, 2.5, 2.8, at_least=True)
            yield Row(f"walk, official client's CPU / bare loop, {listing}", ratios(seconds, "official", "raw"))
            yield Row(f"control: bare loop, {listing}", ratios(seconds, "control", "raw"), control=True)


def _walks(runner: asyncio.Runner, url: str, size: Size) -> dict[str, list[float]]:
    async def opened(stack: contextlib.AsyncExitStack) -> dict[str, Walk]:
        walks = {name: await stack.enter_async_context(contender(url)) for name, contender in CONTENDERS.items()}
        for name, walk in walks.items():
            if await walk() != backup_ids(size.pages):
                raise AssertionError(f"{name} does not list what the server holds")
        return walks

    async def complete(walk: Walk) -> None:
        await walk()

    stack = contextlib.AsyncExitStack()
    try:
        walks = runner.run(opened(stack))
        runs = {name: _clocked(lambda walk=walk: runner.run(complete(walk))) for name, walk in walks.items()}  # type: ignore[misc]
        return interleave(runs, size.rounds)
    finally:
        runner.run(stack.aclose())


def _to_dict(size: Size) -> Iterator[Row]:
    async def official(url: str) -> list[BackupModel]:
        async with AsyncPinecone(api_key=KEY, host=url) as client:
            return list(await client.backups.list(limit=ROWS))

    with serving(1) as urls:
        for listing in (Listing.SPARSE, Listing.FULL):
            ours, theirs = decode_page(page_body(Payload(listing.value))).data, asyncio.run(official(urls[listing]))
            seconds = _against(_plain_of(theirs), _plain_of(ours), size)
            yield Row(f"to_dict / the official client's, {listing}", ratios(seconds, "ours", "baseline"), 1.0, 0.85)


def _plain_of(backups: Sequence[Any]) -> Callable[[], object]:
    return lambda: [backup.to_dict() for backup in backups]


def _deciding(size: Size) -> Iterator[Row]:
    bodies = [page_body(Payload.FULL, number) for number in range(10)]
    backups = [backup for body in bodies for backup in decode_page(body).data]
    policy = RetentionPolicy(daily=7, weekly=4, monthly=6)
    seconds = _against(
        lambda: [orjson.loads(body) for body in bodies],
        lambda: decide(backups, policy),
        attrs.evolve(size, repeat=max(1, size.repeat // 10)),
    )
    yield Row(
        "retention.decide, 1,000 backups / orjson.loads of their pages", ratios(seconds, "ours", "baseline"), 10, 5
    )


def _starting(size: Size) -> Iterator[Row]:
    tasks = ("import_aiohttp", "import_ours", "import_plugin", "import_cyclopts_and_rich", "version", "import_aiohttp")
    with tempfile.TemporaryDirectory() as bytecode:
        runs = {f"{task} {number}": functools.partial(_child, bytecode, task) for number, task in enumerate(tasks)}
        interleave(runs, 1)  # writes the bytecode, as an installed package has it
        names = dict(enumerate(runs))
        seconds = interleave(runs, size.rounds)
    of_aiohttp = functools.partial(ratios, seconds, other=names[0])
    yield Row("import of BackupsClient / import of aiohttp", of_aiohttp(names[1]), 1.20, 1.10)
    yield Row("the pytest plugin's import / import of aiohttp", of_aiohttp(names[2]), 0.30, 0.15)
    yield Row("--version / start with cyclopts and rich imported", ratios(seconds, names[4], names[3]), 0.8, 0.5)
    yield Row("control: import of aiohttp", of_aiohttp(names[5]), control=True)


def _memory(size: Size) -> Iterator[Row]:
    with serving(1, size.long_pages) as urls, tempfile.TemporaryDirectory() as bytecode:
        growth = _child(bytecode, "growth_of_a_walk", urls[Listing.LONG]) / 2**20
    what = f"growth of the peak beyond the ids, 10,000th to {size.long_pages * 100:,}th backup"
    yield Row(what, [growth], 5, 1, unit=" MB")
    pages = size.long_pages // 3
    with serving(1, pages) as urls, tempfile.TemporaryDirectory() as bytecode:
        peak = _child(bytecode, "peak_of_an_inventory", urls[Listing.LONG])
    yield Row(f"inventory of {pages * 100:,}, peak a backup", [peak], 1_500, 1_350, unit=" bytes")


def _streaming(size: Size) -> Iterator[Row]:
    with serving(size.pages) as urls, tempfile.TemporaryDirectory() as bytecode:
        found = _child(bytecode, "ndjson", urls[Listing.FULL])
    half = len(found) // 2
    yield Row("NDJSON by FastAPI, CPU / aiohttp and orjson", found[:half], 3.0, 2.4)
    yield Row("control: NDJSON by aiohttp and orjson", found[half:], control=True)


def _shapes(size: Size) -> Iterator[Row]:
    cpu, _, shape = shapes.worst(size.shapes)[0]
    yield Row(f"the slowest response ({shape[1]} in {shape[0]}), CPU", [cpu * 1000], 100, 50, unit=" ms")


def _child(bytecode: str, task: str, *arguments: str) -> Any:
    command = [sys.executable, "-m", f"{__package__}.child", task, *arguments]
    environment = os.environ | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    return orjson.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment).stdout)
