"""Run all gates in full and print their table; the exit status says whether they hold."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from tests.stress import Figure, chaos, life, writes

IN_FULL: list[Callable[[], Coroutine[Any, Any, list[Figure]]]] = [
    lambda: chaos.chaos(pages=2_000, seeds=5),
    lambda: chaos.realistic(walks=100, pages=50),
    lambda: writes.writes(names=200, seeds=3),
    lambda: life.concurrent(300, at_once=50, faults=1_000),
]


def main() -> None:
    logging.getLogger().addHandler(logging.NullHandler())  # thousands of retries are the point
    began, passed = time.monotonic(), True
    print("| gate | seen | |\n|---|---|---|")
    for gate in IN_FULL:
        for figure in asyncio.run(gate()):
            print(f"| {figure.gate} | {figure.seen} | {'pass' if figure.passed else 'FAILED'} |", flush=True)
            passed = passed and figure.passed
    print(f"\n{time.monotonic() - began:.0f} s")
    raise SystemExit(not passed)


if __name__ == "__main__":
    main()
