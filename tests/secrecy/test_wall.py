"""The wall: where a call ends with an exception, no frame below it holds anything, and nothing from inside is chained.

test_secrecy.py lets calls fail in every way, and looks at all that can be reached from what reached the caller.
"""

from __future__ import annotations

import asyncio
import traceback
import types
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from pinecone_backups_async import TransportError, _wall
from pinecone_backups_async._wall import walled
from tests.support.failing_calls import Interruption, interrupted_at


def chained(error: BaseException | None) -> list[BaseException]:
    """Return the contexts of an exception, nearest first."""
    found: list[BaseException] = []
    while error is not None and (error := error.__context__) is not None:
        found.append(error)
    return found


def variables_below(error: BaseException) -> dict[str, object]:
    """Return the variables in the frames from the wall downward; not `function`, which the wall is closed over."""
    trace, inside, variables = error.__traceback__, False, dict[str, object]()
    while trace is not None:
        inside = inside or trace.tb_frame.f_code.co_filename == _wall.__file__
        variables |= trace.tb_frame.f_locals if inside else {}
        trace = trace.tb_next
    assert inside
    variables.pop("function", None)
    return {name: value for name, value in variables.items() if value is not None}


def fail() -> None:
    try:
        raise aiohttp.ClientError("headers")
    except aiohttp.ClientError as inner:
        raise TransportError("ours") from inner


fail_inside = types.FunctionType(fail.__code__, globals() | {"__name__": "aiohttp.client"})  # its frame is aiohttp's


@walled
def sync_call(secret: str) -> None:
    fail_inside()
    print(secret)


@walled
async def async_call(secret: str) -> None:
    fail_inside()
    print(secret)


def failing(call: Callable[[str], Any]) -> TransportError:
    with pytest.raises(TransportError) as caught:
        asyncio.run(call("hush")) if call is async_call else call("hush")
    return caught.value


@pytest.mark.parametrize("call", [sync_call, async_call])
def test_variables_and_inner_causes_go(call: Callable[[str], Any]) -> None:
    """What the caller was handling stays as the context."""
    error = failing(call)
    assert (error.__cause__, error.__context__) == (None, None)
    assert variables_below(error) == {}
    assert "fail_inside()" in "".join(traceback.format_exception(error))
    handled = KeyError("the caller's")
    try:
        raise handled
    except KeyError:
        error = failing(call)
    assert (error.__cause__, chained(error), error.__suppress_context__) == (None, [handled], False)
    assert handled.__traceback__ is not None


async def test_a_hook_keeps_its_exception_cause_and_lines() -> None:
    def hook() -> None:
        password = "hush"
        try:
            int(password)
        except ValueError as error:
            raise KeyError("the hook's") from error

    @walled
    async def call() -> None:
        try:
            raise aiohttp.ClientError
        except aiohttp.ClientError:
            hook()

    with pytest.raises(KeyError) as caught:
        await call()
    cause = caught.value.__cause__
    assert isinstance(cause, ValueError)
    assert caught.value.__context__ is cause
    assert "raise KeyError" in "".join(traceback.format_exception(caught.value))
    assert variables_below(caught.value) == {}


async def test_exceptions_of_a_hook_may_be_chained_in_a_circle() -> None:
    @walled
    async def call() -> None:
        one, other = KeyError("one"), KeyError("other")
        one.__context__, other.__context__ = other, one
        raise ValueError from one

    with pytest.raises(ValueError, match="^$") as caught:
        await call()
    assert str(caught.value.__cause__) == "'one'"


async def test_the_chain_of_cancellations_stays() -> None:
    @walled
    async def call() -> None:
        secret = "hush"
        try:
            try:
                await asyncio.sleep(9)
            finally:
                raise asyncio.CancelledError(f"second, {len(secret)}")
        finally:
            raise asyncio.CancelledError("third")

    task = asyncio.ensure_future(call())
    await asyncio.sleep(0)
    task.cancel("first")
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert [str(error) for error in (caught.value, *chained(caught.value))] == ["third", "second, 4", "first"]
    assert task.cancelling() == 1
    for error in chained(caught.value):
        assert not error.__traceback__ or "secret" not in error.__traceback__.tb_frame.f_locals


async def test_what_the_caller_was_handling_may_be_what_is_raised() -> None:
    @walled
    async def call(error: KeyError) -> None:
        raise error

    handled = KeyError("the caller's")
    try:
        raise handled
    except KeyError:
        with pytest.raises(KeyError) as caught:
            await call(handled)
    assert (caught.value is handled, handled.__context__) == (True, None)


def test_an_interruption_of_the_wall_itself_shows_nothing() -> None:
    """Raise as a signal handler may, at each line that the wall runs through: before, while and after it cleans."""

    @walled
    def call(secret: str) -> None:
        raise ValueError(len(secret))

    outcomes: list[BaseException] = []
    while not outcomes or isinstance(outcomes[-1], Interruption):
        with pytest.raises((Interruption, ValueError)) as caught, interrupted_at(len(outcomes) + 1):
            call("hush")
        outcomes.append(caught.value)
    for found in (link for outcome in outcomes for link in (outcome, *chained(outcome))):
        assert "hush" not in str(variables_below(found) if found.__traceback__ else {})
    assert len(outcomes) > 20
