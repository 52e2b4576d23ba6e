"""Run all gates in full and print their table; the exit status says whether they hold."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from tests.stress import Figure, chaos, life, writes

Gate = Callable[[], Coroutine[Any, Any, list[Figure]]]
# Each gate in full, and as small as the suite runs it.
GATES: dict[str, tuple[Gate, Gate]] = {
    "chaos": (partial(chaos.chaos, pages=2_000, seeds=5), partial(chaos.chaos, pages=200, seeds=2)),
    "realistic": (partial(chaos.realistic, walks=100, pages=50), partial(chaos.realistic, walks=5, pages=20)),
    "writes": (partial(writes.writes, 200, 3, beside=40), partial(writes.writes, 200, 3, beside=10)),
    "concurrent": (
        partial(life.concurrent, 300, at_once=50, faults=1_000),
        partial(life.concurrent, 60, at_once=20, faults=200),
    ),
}


def main() -> None:
    logging.getLogger().addHandler(logging.NullHandler())  # thousands of retries are the point
    began, passed = time.monotonic(), True
    print("| gate | seen | |\n|---|---|---|")
    for in_full, _ in GATES.values():
        for figure in asyncio.run(in_full()):
            print(f"| {figure.gate} | {figure.seen} | {'pass' if figure.passed else 'FAILED'} |", flush=True)
            passed = passed and figure.passed
    print(f"\n{time.monotonic() - began:.0f} s")
    raise SystemExit(not passed)


if __name__ == "__main__":
    main()
