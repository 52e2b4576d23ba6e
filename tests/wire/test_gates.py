"""The gates, small; `python -m tests.wire.gates` runs them in full."""

from __future__ import annotations

import random

import pytest

from . import gates
from .kinds import ALL

pytestmark = pytest.mark.soak


async def test_chaos() -> None:
    assert all(figure.passed for figure in await gates.chaos(pages=150, seeds=2))


async def test_many_walks_on_one_client() -> None:
    assert all(figure.passed for figure in await gates.concurrent(walks=100, at_once=50))


async def test_a_storm_of_cancels() -> None:
    assert all(figure.passed for figure in await gates.cancels(300))


async def test_outage_and_deadline() -> None:
    assert all(figure.passed for figure in await gates.outage(500) + await gates.deadline(4))


async def test_walks_with_a_few_faults_are_complete() -> None:
    ended = [
        await gates.outcome(gates.ours, gates.faulty(50, 0.05, ALL, random.Random(seed))[0], 50) for seed in range(5)
    ]
    assert ended == ["complete"] * 5
