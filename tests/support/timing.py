"""Bounds of time that a noisy machine may break once: such a test runs a second time, and the run tells of it."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import ParamSpec

import attrs

P = ParamSpec("P")
reruns: list[str] = []  # printed at the end of the run


class LateError(AssertionError):
    """Something took longer than it may."""


@contextmanager
def at_most(seconds: float) -> Generator[None]:
    """Fail where the block takes longer than so many seconds."""
    began = time.monotonic()
    yield
    elapsed = time.monotonic() - began
    if elapsed > seconds:
        raise LateError(f"{elapsed:.3f} s, at most {seconds:.3f} s are allowed")


def once_more(test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """Run a test again that was late, once."""

    @functools.wraps(test)
    async def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            await test(*args, **kwargs)
        except LateError as late:
            reruns.append(f"{test.__name__}: {late}")
            await test(*args, **kwargs)

    return run


@attrs.define
class Sleeps:
    """A `sleep` for a RetryPolicy that remembers each wait and when it was to end; it waits where `real` says so."""

    real: bool = False
    seconds: list[float] = attrs.field(factory=list[float])
    ends: list[float] = attrs.field(factory=list[float])

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.ends.append(time.monotonic() + seconds)
        await asyncio.sleep(seconds if self.real else 0)


@attrs.define
class Clock:
    """A clock that moves only when somebody sleeps by it."""

    now: float = 0.0
    slept: list[float] = attrs.field(factory=list[float])

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
