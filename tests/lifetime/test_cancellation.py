"""L: cancellation. Whoever ends a call or leaves a walk is obeyed at once, and nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import random
import re
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import anyio
import pytest

from pinecone_backups_async import BackupsClient, RetryPolicy
from pinecone_backups_async.testing import FakePinecone
from tests.support.clients import WatchedConnector, client_of, listed
from tests.support.fault_kinds import drip, held, stall
from tests.support.fault_server import Behaviour, answer, error, fault_server, never_accepting, normal
from tests.support.guard import foreign_tasks
from tests.support.timing import LateError, at_most, once_more


def client_tasks() -> set[asyncio.Task[Any]]:
    """Return the tasks of the running loop that are not the server's."""
    return {
        task
        for task in foreign_tasks()
        if not {"fault_server", "_accept_connection2"} & set(re.findall(r"\w+", repr(task)))
    }


@pytest.mark.soak
@once_more
async def test_L1_a_thousand_cancelled_calls_send_nothing_more() -> None:
    """Calls are cancelled at random points."""
    dice, delays, policy = random.Random(1), list[float](), RetryPolicy(base_delay=0.01, quota=10**9)
    kinds: list[Behaviour] = [normal, drip, error("503 Down"), stall, b"HTTP/1.1 200"]
    async with fault_server(backups=30) as server, WatchedConnector() as connector:
        async with client_of(server, retry=policy, connector=connector) as client:
            for _ in range(1_000):
                server.script, tasks = dice.choices(kinds, k=6), client_tasks()
                call = asyncio.create_task(listed(client))
                await asyncio.sleep(dice.random() * 0.02)
                began, seen = time.monotonic(), len(server.heads)
                call.cancel()
                await asyncio.wait([call])
                delays.append(time.monotonic() - began)
                assert len(server.heads) <= seen + 1  # one may have been on its way
                assert connector.in_use == 0
                assert client_tasks() <= tasks
            seen = len(server.heads)
            await asyncio.sleep(0.1)
            assert len(server.heads) == seen
    if (late := sorted(delays)[989]) > 0.05:
        raise LateError(f"1 % of the cancelled calls took {late:.3f} s or more to end")


async def test_L1_cancelled_at_any_turn_of_the_loop() -> None:
    """A call has one turn more each time, from none to all that it needs, so it is cancelled in each of its states."""
    async with fault_server() as server, WatchedConnector() as connector:
        async with client_of(server, connector=connector) as client:
            turns, finished = 0, False
            while not finished:
                tasks, seen = client_tasks(), len(server.heads)
                call = asyncio.create_task(client.fetch_page())
                for _ in range(turns):
                    await asyncio.sleep(0)
                finished = call.done()
                call.cancel()
                await asyncio.wait([call])
                assert finished or call.cancelled()
                assert (connector.in_use, client_tasks() - tasks) == (0, set())
                assert len(server.heads) <= seen + 1
                turns += 1
            assert turns > 5


PHASES: dict[str, Behaviour] = {
    "connecting": normal,
    "answer": held(lambda _: b""),
    "headers": held(lambda page: answer(page)[:30]),
    "body": held(lambda page: answer(page)[:-20]),
    "wait before a retry": error("503 Down"),
}


@pytest.mark.parametrize("phase", PHASES)
@once_more
async def test_L1_cancelled_in_a_phase_it_ends_at_once(phase: str) -> None:
    policy = RetryPolicy(random=lambda: 0.99, base_delay=50, max_delay=50)
    async with fault_server([PHASES[phase]]) as server, WatchedConnector() as connector:
        with never_accepting() as elsewhere:
            url = elsewhere if phase == "connecting" else server.url
            async with client_of(server, base_url=url, retry=policy, connector=connector) as client:
                call = asyncio.create_task(client.fetch_page())
                await asyncio.sleep(0.05)
                assert not call.done()
                call.cancel()
                with at_most(0.05), pytest.raises(asyncio.CancelledError):
                    await call
                assert connector.in_use == 0
                await asyncio.sleep(0.05)
                assert len(server.heads) == (phase != "connecting")  # and no request after


Call = Coroutine[Any, Any, object]


async def with_timeout(call: Call) -> None:
    async with asyncio.timeout(0.1):
        await call


async def with_wait_for(call: Call) -> None:
    await asyncio.wait_for(call, 0.1)


async def with_anyio(call: Call) -> None:
    with anyio.fail_after(0.1):
        await call


async def with_group(call: Call) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(call)
        await asyncio.sleep(0.1)
        raise TimeoutError


@pytest.mark.parametrize("wrapper", [with_timeout, with_wait_for, with_anyio, with_group])
@once_more
async def test_L2_whoever_bounds_a_listing_is_obeyed(wrapper: Callable[[Call], Awaitable[None]]) -> None:
    async with fault_server([normal, stall], backups=9) as server, WatchedConnector() as connector:
        async with client_of(server, connector=connector) as client:
            with at_most(0.1 + 0.05), pytest.raises((TimeoutError, ExceptionGroup)):
                await wrapper(listed(client))
            assert connector.in_use == 0


async def test_L3_L4_a_listing_that_is_left_leaves_nothing() -> None:
    """It may be left by `break` or an exception, kept, never begun, or collected."""
    async with fault_server(backups=30) as server, WatchedConnector() as connector:
        async with client_of(server, connector=connector) as client:
            tasks = client_tasks()
            async for _ in client.list_backups():
                break
            with pytest.raises(KeyError):
                async for _ in client.list_backups():
                    raise KeyError
            walks = [aiter(client.list_backups()), client.list_backups().pages()]
            for walk in walks:
                await anext(walk)
            walks.append(aiter(client.list_backups()))
            for _ in ("kept", "collected"):
                for _ in range(3):
                    await asyncio.sleep(0)
                assert (client_tasks() - tasks, connector.in_use) == (set(), 0)
                walks.clear()
                gc.collect()


def test_L4_listings_that_outlive_their_loop(caplog: pytest.LogCaptureFixture) -> None:
    """They are collected without a word: warnings are errors here, and so is what a finalizer raises."""

    async def leave(client: BackupsClient) -> list[object]:
        walks = aiter(client.list_backups()), client.list_backups().pages()
        for walk in walks:
            await anext(walk)
        return [*walks, aiter(client.list_backups())]

    with FakePinecone(250) as fake:
        client = client_of(fake)
        walks = asyncio.run(leave(client))
        walks.clear()
        gc.collect()
        asyncio.run(client.close())
    assert caplog.records == []
