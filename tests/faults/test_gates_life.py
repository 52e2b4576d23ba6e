"""The gates of a client's life, small; `python -m tests.faults.gates_life` runs them in full."""

from __future__ import annotations

import pytest

from tests.wire.conftest import guard

from . import gates_life

__all__ = ["guard"]
pytestmark = pytest.mark.soak


async def test_many_walks_on_one_client() -> None:
    assert [figure for figure in await gates_life.concurrent(60, at_once=20, faults=200) if not figure.passed] == []


async def test_a_storm_of_cancels() -> None:
    assert [figure for figure in await gates_life.cancels(200) if not figure.passed] == []
