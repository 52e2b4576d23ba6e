"""How it is measured: interleaved rounds, CPU of this process, medians of paired ratios. Knows no gate, prints nothing.

A round runs every contender once, one after another: what disturbs the machine disturbs neighbours alike. A ratio is
taken within its round, and the median over the rounds is what counts.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import attrs
import orjson

from pinecone_backups_async import _decode

from . import contenders as c
from .payloads import Payload, backup_ids, page_body
from .server import Listing

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

__all__ = ["Sample", "Samples", "Spread", "decoding", "interleave", "memory", "ratio", "starting", "typical", "walking"]


@attrs.frozen
class Sample:
    """Hold one measurement in seconds, for one page where pages were measured."""

    cpu: float
    wall: float


Samples = dict[str, list[Sample]]


@attrs.frozen
class Spread:
    """Hold the median of the rounds, and the quartiles that show how far to trust it."""

    median: float
    low: float
    high: float


def interleave(contenders: Mapping[str, Callable[[], Sample]], rounds: int) -> Samples:
    """Run every contender once a round, in their order, and return their samples."""
    samples: Samples = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            gc.collect()
            samples[name].append(contender())
    return samples


def clocked(action: Callable[[], object], parts: int) -> Callable[[], Sample]:
    """Return a measurement of an action that does the same thing so many times."""

    def measurement() -> Sample:
        cpu, wall = time.process_time(), time.perf_counter()
        action()
        return Sample((time.process_time() - cpu) / parts, (time.perf_counter() - wall) / parts)

    return measurement


def ratio(samples: Samples, name: str, other: str, clock: str = "cpu") -> Spread:
    """Return a contender's cost in the other's: the ratios within each round, their median and quartiles."""
    pairs = zip(samples[name], samples[other], strict=True)
    return spread([getattr(mine, clock) / getattr(theirs, clock) for mine, theirs in pairs])


def typical(samples: Samples, name: str, clock: str = "cpu") -> Spread:
    """Return a contender's own cost in seconds."""
    return spread([getattr(sample, clock) for sample in samples[name]])


def spread(values: list[float]) -> Spread:
    """Return the median and the quartiles of values."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high)


def decoding(rounds: int, repeat: int) -> dict[Payload, Samples]:
    """Measure our codec against orjson, and orjson against itself, on each payload."""
    return {payload: interleave(_decoders(page_body(payload), repeat), rounds) for payload in Payload}


def _decoders(body: bytes, repeat: int) -> dict[str, Callable[[], Sample]]:
    def orjson_alone() -> None:
        for _ in range(repeat):
            orjson.loads(body)

    def codec() -> None:
        for _ in range(repeat):
            _decode.decode_page(body)

    codec()
    return {
        "orjson": clocked(orjson_alone, repeat),
        "ours": clocked(codec, repeat),
        "control": clocked(orjson_alone, repeat),
    }


_CONTENDERS: dict[str, c.Contender] = {
    "raw": c.raw,
    "plain": c.plain,
    "official": c.official,
    "ours": c.ours,
    "ours by page": c.ours_by_page,
    "control": c.raw,
}
_PARTS: dict[str, c.Contender] = {"GET and codec": c.get_and_decode, "one call a page": c.one_call_a_page}


def walking(runner: asyncio.Runner, urls: Mapping[Listing, str], pages: int, rounds: int) -> dict[Listing, Samples]:
    """Measure whole walks, each contender with its own client; on the plain listing also the parts of a page."""
    listings = (Listing.PLAIN, Listing.GZIP, Listing.TYPED)
    return {listing: _walking(runner, urls[listing], pages, rounds, listing) for listing in listings}


def _walking(runner: asyncio.Runner, url: str, pages: int, rounds: int, listing: Listing) -> Samples:
    async def opened(stack: contextlib.AsyncExitStack) -> dict[str, c.Walk]:
        entrants = _CONTENDERS if listing is not Listing.PLAIN else _CONTENDERS | _PARTS
        walks = {name: await stack.enter_async_context(contender(url)) for name, contender in entrants.items()}
        for name, walk in walks.items():
            if await walk() != backup_ids(pages):
                raise AssertionError(f"{name} does not list what the server holds")
        if listing is Listing.PLAIN:
            walks["GET alone"] = await stack.enter_async_context(c.get_alone(url, pages))
        return walks

    async def complete(walk: c.Walk) -> None:
        await walk()

    stack = contextlib.AsyncExitStack()
    try:
        walks = runner.run(opened(stack))
        runs = {name: clocked(lambda walk=walk: runner.run(complete(walk)), pages) for name, walk in walks.items()}  # type: ignore[misc]
        return interleave(runs, rounds)
    finally:
        runner.run(stack.aclose())


def starting(url: str, rounds: int) -> Samples:
    """Measure imports and the way to the first page, each in a process of its own, with bytecode as when installed."""
    with tempfile.TemporaryDirectory() as bytecode:
        run = functools.partial(_child, bytecode)
        runs = {
            "aiohttp": lambda: Sample(**run("import_aiohttp")),
            "ours": lambda: Sample(**run("import_ours")),
            "control": lambda: Sample(**run("import_aiohttp")),
            "first page official": lambda: _first_page(run, "first_page_official", url),
            "first page ours": lambda: _first_page(run, "first_page_ours", url),
        }
        interleave(runs, 1)  # writes the bytecode
        return interleave(runs, rounds)


def memory(url: str) -> tuple[int, int]:
    """Stream a listing in a process of its own; return how many backups came, and the peak's growth in bytes."""
    with tempfile.TemporaryDirectory() as bytecode:
        result = _child(bytecode, "memory", url)
    return int(result["streamed"]), int(result["growth"])


def _first_page(run: Callable[..., dict[str, float]], task: str, url: str) -> Sample:
    began = time.monotonic()  # one clock for all processes
    page = run(task, url)
    return Sample(page["cpu"], page["at"] - began)


def _child(bytecode: str, task: str, *arguments: str) -> dict[str, float]:
    command = [sys.executable, "-m", f"{__package__}.child", task, *arguments]
    environment = os.environ | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    result: dict[str, float] = orjson.loads(done.stdout)
    return result
