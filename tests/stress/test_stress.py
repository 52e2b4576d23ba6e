"""The gates, small; `python -m tests.stress` runs them in full."""

from __future__ import annotations

import pytest

from tests.stress.__main__ import GATES


@pytest.mark.soak
@pytest.mark.parametrize("gate", GATES)
async def test_a_gate_in_small(gate: str) -> None:
    _, in_small = GATES[gate]
    figures = await in_small()
    assert [figure for figure in figures if not figure.passed] == []
    assert figures != []
