"""What the figures mean: the targets with their gates, the tables, the verdict. Measures nothing."""

from __future__ import annotations

import platform
from enum import IntEnum
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import attrs

from .measure import Samples, Spread, ratio, spread, typical
from .payloads import Payload
from .server import Listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "Measured",
    "Row",
    "Verdict",
    "as_json",
    "controls",
    "cost_table",
    "costs",
    "machine",
    "part_table",
    "rows",
    "table",
    "verdict",
]

_ALLOWED_A_BACKUP = 150
_CONTROL_LOW, _CONTROL_HIGH = 0.9, 1.1


class Verdict(IntEnum):
    """Name the outcomes of a run, as the exit codes of the command (2 is argparse's own)."""

    PASSED = 0
    GATE_MISSED = 1
    VOID = 3


@attrs.frozen
class Measured:
    """Hold the samples of one run."""

    decoding: dict[Payload, Samples]
    walking: dict[Listing, Samples]
    starting: Samples
    streamed: int
    growth: int


@attrs.frozen
class Row:
    """Hold one line of the table: what is compared, our figure, and the gate it must keep, if there is one."""

    what: str
    seen: Spread
    gate: float | None = None
    stretch: float | None = None
    at_least: bool = False
    unit: str = ""

    @property
    def passed(self) -> bool | None:
        """Return whether the gate is kept; None where there is none."""
        return None if self.gate is None else self._keeps(self.gate)

    @property
    def stretched(self) -> bool:
        """Return whether the stretch is reached as well."""
        return self.stretch is not None and self._keeps(self.stretch)

    def _keeps(self, bound: float) -> bool:
        return self.seen.median >= bound if self.at_least else self.seen.median <= bound


def rows(measured: Measured) -> list[Row]:
    """Return the targets in their order, and below each kind what is compared without a gate."""
    return [*_decoding_rows(measured), *_walking_rows(measured), *_process_rows(measured)]


def _decoding_rows(measured: Measured) -> Iterable[Row]:
    gates = {Payload.FULL: (2.0, 1.2), Payload.ABSENT: (2.2, 1.3), Payload.UNKNOWN: (3.0, 1.6)}
    for payload, samples in measured.decoding.items():
        gate, stretch = gates.get(payload, (None, None))
        yield Row(f"decode, {payload} / orjson.loads", ratio(samples, "ours", "orjson"), gate, stretch)


def _walking_rows(measured: Measured) -> Iterable[Row]:
    by_listing = measured.walking
    samples = by_listing[Listing.PLAIN]
    yield Row("walk by item, CPU / raw loop", ratio(samples, "ours", "raw"), 1.45, 1.10)
    yield Row("walk by page, CPU / raw loop", ratio(samples, "ours by page", "raw"))
    yield Row("walk by item, gzip, CPU / raw loop", ratio(by_listing[Listing.GZIP], "ours", "raw"))
    yield Row("walk by item, typed schema, CPU / raw loop", ratio(by_listing[Listing.TYPED], "ours", "raw"))
    yield Row("walk, plain cattrs CPU / ours", ratio(samples, "plain", "ours"), at_least=True)
    yield Row("walk, official CPU / ours", ratio(samples, "official", "ours"), 2.4, 3.4, at_least=True)
    for listing in (Listing.GZIP, Listing.TYPED):
        yield Row(
            f"walk, {listing}, official CPU / ours", ratio(by_listing[listing], "official", "ours"), at_least=True
        )


def _process_rows(measured: Measured) -> Iterable[Row]:
    beyond = (measured.growth - _ALLOWED_A_BACKUP * (measured.streamed - 10_000)) / 1e6
    what = f"peak RSS growth, 10,000th to {measured.streamed:,}th backup, beyond {_ALLOWED_A_BACKUP} bytes an id"
    yield Row(what, spread([beyond]), 5.0, 1.0, unit=" MB")
    samples = measured.starting
    yield Row("import of BackupsClient, CPU / import of aiohttp", ratio(samples, "ours", "aiohttp"), 1.20, 1.10)
    first_page = ratio(samples, "first page ours", "first page official", "wall")
    yield Row("process start to first page, wall / official", first_page, 1.05, 0.95)
    first_page_cpu = ratio(samples, "first page ours", "first page official")
    yield Row("process start to first page, CPU / official", first_page_cpu)


def controls(measured: Measured) -> list[Row]:
    """Return what compares a contender with itself: far from 1, the machine was not quiet and the run is void."""
    decoding = (
        Row(f"control: orjson / orjson, {payload}", ratio(samples, "control", "orjson"))
        for payload, samples in measured.decoding.items()
    )
    walking = (
        Row(f"control: raw / raw, {listing}", ratio(samples, "control", "raw"))
        for listing, samples in measured.walking.items()
    )
    importing = Row("control: import aiohttp / import aiohttp", ratio(measured.starting, "control", "aiohttp"))
    return [*decoding, *walking, importing]


def verdict(compared: Sequence[Row], control_rows: Sequence[Row]) -> Verdict:
    """Return what the run is worth: void, one gate missed at least, or passed."""
    if not all(_CONTROL_LOW <= control.seen.median <= _CONTROL_HIGH for control in control_rows):
        return Verdict.VOID
    return Verdict.GATE_MISSED if any(row.passed is False for row in compared) else Verdict.PASSED


def costs(measured: Measured) -> list[tuple[str, Spread, Spread, float]]:
    """Return what a page of the plain listing costs each contender: CPU and wall in seconds, and the CPU in raw loops."""
    samples = measured.walking[Listing.PLAIN]
    names = ("raw", "ours by page", "ours", "plain", "official")
    return [
        (name, typical(samples, name), typical(samples, name, "wall"), ratio(samples, name, "raw").median)
        for name in names
    ]


def table(compared: Sequence[Row]) -> str:
    """Return rows as a Markdown table."""
    lines = ["| what | gate | stretch | seen | middle half | |", "|---|---|---|---|---|---|"]
    for row in compared:
        middle = f"{row.seen.low:.2f}-{row.seen.high:.2f}"
        bounds = f"{_bound(row, row.gate)} | {_bound(row, row.stretch)}"
        lines.append(f"| {row.what} | {bounds} | {row.seen.median:.2f}{row.unit} | {middle} | {_outcome(row)} |")
    return "\n".join(lines)


def _bound(row: Row, bound: float | None) -> str:
    return "" if bound is None else f"{'≥' if row.at_least else '≤'} {bound:g}{row.unit}"


def _outcome(row: Row) -> str:
    if row.passed is None:
        return ""
    if not row.passed:
        return "MISSED"
    return "pass, stretch" if row.stretched else "pass"


def cost_table(measured: Measured) -> str:
    """Return what a page costs each contender as a Markdown table."""
    lines = ["| a page of 100 full records | CPU us | wall us | CPU / raw |", "|---|---|---|---|"]
    for name, cpu, wall, against_raw in costs(measured):
        lines.append(f"| {name} | {cpu.median * 1e6:.0f} | {wall.median * 1e6:.0f} | {against_raw:.2f} |")
    return "\n".join(lines)


def part_table(measured: Measured) -> str:
    """Return where the CPU of our page goes as a Markdown table: what each part adds to the one before."""
    samples = measured.walking[Listing.PLAIN]
    parts = {
        "aiohttp's GET and read": "GET alone",
        "the codec: bytes to models": "GET and codec",
        "session, protocol and retry": "one call a page",
        "the pager, by page": "ours by page",
        "the pager, by item": "ours",
    }
    # Of each the least of its rounds: these are differences of close figures, and noise only ever adds.
    least = {name: min(sample.cpu for sample in samples[name]) for name in parts.values()}
    whole = least["ours"]
    lines = ["| part | adds CPU us | of our page |", "|---|---|---|"]
    before = 0.0
    for part, name in parts.items():
        lines.append(f"| {part} | {(least[name] - before) * 1e6:.0f} | {(least[name] - before) / whole:.0%} |")
        before = least[name]
    return "\n".join([*lines, f"| the whole page | {whole * 1e6:.0f} | 100% |"])


def machine() -> dict[str, str]:
    """Return what a figure depends on: interpreter, system, and the versions of what is compared."""
    packages = ("aiohttp", "attrs", "cattrs", "msgspec", "tenacity", "orjson", "pinecone", "httpx")
    versions = {name: version(name) for name in packages}
    return {"python": platform.python_version(), "system": platform.platform()} | versions


def as_json(measured: Measured, outcome: Verdict) -> dict[str, Any]:
    """Return the run in machine-readable form: the verdict, every row, every sample."""
    compared = [attrs.asdict(row) | {"passed": row.passed} for row in rows(measured)]
    return {
        "verdict": outcome.name.lower(),
        "machine": machine(),
        "rows": compared,
        "controls": [attrs.asdict(row) | {"passed": None} for row in controls(measured)],
        "samples": attrs.asdict(measured),
    }
