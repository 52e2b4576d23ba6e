"""The gates, small; `python -m tests.stress` runs them in full."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.stress import Figure, chaos, life, writes

SMALL: dict[str, Callable[[], Coroutine[Any, Any, list[Figure]]]] = {
    "chaos": lambda: chaos.chaos(pages=200, seeds=2),
    "realistic": lambda: chaos.realistic(walks=5, pages=20),
    "writes": lambda: writes.writes(names=50, seeds=3),
    "concurrent": lambda: life.concurrent(60, at_once=20, faults=200),
}


@pytest.mark.soak
@pytest.mark.parametrize("gate", SMALL)
async def test_a_gate_in_small(gate: str) -> None:
    figures = await SMALL[gate]()
    assert [figure for figure in figures if not figure.passed] == []
    assert figures != []
