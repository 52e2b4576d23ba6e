"""L: the life of a client, a walk and a call. Cancellation is obeyed, and nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest

from pinecone_backups_async import BackupPage, BackupsClient, ClientClosedError, RetryPolicy
from tests.served import served

from .guard import foreign_tasks, open_descriptors
from .helpers import client_of, connections_held, listed
from .server import Behaviour, Exchange, answer, error, fault_server, normal


async def stall(exchange: Exchange) -> None:
    await asyncio.sleep(60)


async def slowly(exchange: Exchange) -> None:
    whole = answer(exchange.page)
    for start in range(0, len(whole), 50):
        await exchange.send(whole[start : start + 50])
        await asyncio.sleep(0.002)


def client_tasks() -> set[asyncio.Task[Any]]:
    """Return the tasks of the running loop that are not the server's."""
    return {
        task for task in foreign_tasks() if not {"server", "_accept_connection2"} & set(re.findall(r"\w+", repr(task)))
    }


async def storm(cancels: int, seed: int) -> list[float]:
    """Cancel so many calls at random points; return how long each took to end."""
    delays: list[float] = []
    dice = random.Random(seed)
    loop = asyncio.get_running_loop()
    async with fault_server(backups=30) as server:
        kinds: list[Behaviour] = [normal, slowly, error("503 Down"), stall, b"HTTP/1.1 200"]
        async with client_of(server, retry=RetryPolicy(base_delay=0.01, quota=10**6)) as client:
            for _ in range(cancels):
                server.script = dice.choices(kinds, k=6)
                tasks = client_tasks()
                task = asyncio.create_task(listed(client))
                await asyncio.sleep(dice.random() * 0.02)
                began, seen = loop.time(), len(server.heads)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                delays.append(loop.time() - began)
                assert len(server.heads) <= seen + 1
                assert connections_held(client) == 0
                assert client_tasks() <= tasks
    return delays


async def test_L1_a_cancelled_call_ends_at_once_and_sends_nothing_more() -> None:
    delays = sorted(await storm(150, seed=1))
    assert delays[-2] < 0.05


async def with_timeout(call: Awaitable[Any]) -> None:
    async with asyncio.timeout(0.1):
        await call


async def with_wait_for(call: Awaitable[Any]) -> None:
    await asyncio.wait_for(call, 0.1)


async def with_anyio(call: Awaitable[Any]) -> None:
    with anyio.fail_after(0.1):
        await call


async def with_group(call: Awaitable[Any]) -> None:
    async def fail() -> None:
        await asyncio.sleep(0.1)
        raise TimeoutError

    async def run() -> None:
        await call

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(run())
            group.create_task(fail())
    except* TimeoutError as group_error:
        raise group_error.exceptions[0] from None


@pytest.mark.parametrize("wrapper", [with_timeout, with_wait_for, with_anyio, with_group])
async def test_L2_whoever_bounds_a_walk_is_obeyed(wrapper: Callable[[Awaitable[Any]], Awaitable[None]]) -> None:
    async with fault_server([normal, stall], backups=9) as server, client_of(server) as client:
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await wrapper(listed(client))
        assert asyncio.get_running_loop().time() - began < 0.25
        assert connections_held(client) == 0


async def test_L3_L4_a_walk_that_is_left_leaves_nothing() -> None:
    async with fault_server(backups=30) as server, client_of(server) as client:
        tasks = client_tasks()
        async for _ in client.list_backups():
            break
        with pytest.raises(ValueError, match="mine"):
            async for _ in client.list_backups():
                raise ValueError("mine")
        client.list_backups()
        kept = aiter(client.list_backups())
        await anext(kept)
        unfinished = client.list_backups().pages()
        await anext(unfinished)
        del unfinished
        gc.collect()
        for _ in range(3):
            await asyncio.sleep(0)
        assert client_tasks() <= tasks
        assert connections_held(client) == 0


async def test_L5_close_leaves_alone_what_has_just_run_out_of_time() -> None:
    async with fault_server() as server:
        client = client_of(server)
        loop = asyncio.get_running_loop()
        waiting = asyncio.create_task(client._session.pause(0.01))  # pyright: ignore[reportPrivateUsage]
        await asyncio.sleep(0)

        def close_now() -> None:  # after the wait's time is up and before its task has noticed
            with pytest.raises(StopIteration):
                client.close().send(None)

        loop.call_later(0.01, close_now)
        time.sleep(0.05)  # noqa: ASYNC251 - so that both are due in the same turn of the loop
        with pytest.raises(ClientClosedError):
            await waiting


@pytest.mark.parametrize("when", ["request", "wait before a retry"])
async def test_L5_close_ends_what_waits_within_100_ms(when: str) -> None:
    policy = RetryPolicy(random=lambda: 0.99, base_delay=50, max_delay=50)
    async with fault_server([stall] if when == "request" else [error("503 Down")]) as server:
        client = client_of(server, retry=policy)
        call = asyncio.create_task(client.fetch_page())
        await asyncio.sleep(0.1)
        began = asyncio.get_running_loop().time()
        await asyncio.gather(client.close(), client.close())
        with pytest.raises(ClientClosedError):
            await call
        assert asyncio.get_running_loop().time() - began < 0.2
        with pytest.raises(ClientClosedError):
            await client.fetch_page()
        await client.close()
        assert len(server.heads) == 1


FORGETFUL = """
import asyncio
from pinecone_backups_async import BackupsClient
async def main():
    client = BackupsClient()
    await client.fetch_page()
asyncio.run(main())
"""


def test_L6_a_forgotten_close_is_one_warning_of_ours_at_the_users_line(tmp_path: Path) -> None:
    script = tmp_path / "forgetful.py"
    script.write_text(FORGETFUL)
    with served(3) as fake:
        command = [sys.executable, "-X", "tracemalloc=5", "-W", "always", str(script)]
        done = subprocess.run(command, env={**os.environ, **fake.environ}, capture_output=True, text=True, check=True)
    assert done.stderr.count("ResourceWarning: ") == 1
    assert "ResourceWarning: unclosed <BackupsClient http://127.0.0.1:" in done.stderr
    assert f'File "{script}", lineno 5' in done.stderr
    assert "client = BackupsClient()" in done.stderr
    assert "lient session" not in done.stderr


def test_L7_a_client_serves_one_event_loop_after_another() -> None:
    with served(3) as fake, warnings.catch_warnings():
        warnings.simplefilter("error")
        client = BackupsClient(fake.api_key, base_url=fake.url)
        for _ in range(3):
            assert len(asyncio.run(fetch(client)).data) == 3
        loop = asyncio.new_event_loop()
        assert len(loop.run_until_complete(fetch(client)).data) == 3
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        asyncio.run(client.close())
        gc.collect()


async def fetch(client: BackupsClient) -> BackupPage:
    return await client.fetch_page()


async def test_L7_a_second_loop_while_the_first_runs_is_told_so() -> None:
    async with fault_server() as server, client_of(server) as client:
        await client.fetch_page()
        for call in (client.fetch_page, client.close):
            with pytest.raises(RuntimeError, match=r"serves event loop 0x\w+ and cannot serve 0x\w+"):
                await asyncio.to_thread(asyncio.run, call())
        assert len((await client.fetch_page()).data) == 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # asyncio's own, of its transports
def test_L7_a_loop_that_was_closed_without_a_word_is_left_without_one() -> None:
    with served(3) as fake:
        client = BackupsClient(fake.api_key, base_url=fake.url)
        for _ in range(2):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(fetch(client))
            loop.close()
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            del client
            gc.collect()
        told = [str(found.message) for found in seen]
        assert sum("BackupsClient" in text for text in told) == 1
        assert not [text for text in told if "lient session" in text or "onnector" in text]


def test_L7_a_borrowed_connector_stays_with_its_loop() -> None:
    with served(3) as fake:
        made: list[BackupsClient] = []

        async def first() -> None:
            async with aiohttp.TCPConnector() as connector:
                made.append(BackupsClient(fake.api_key, base_url=fake.url, connector=connector))
                await fetch(made[0])

        asyncio.run(first())
        with pytest.raises(RuntimeError, match="connector= belongs to another event loop"):
            asyncio.run(fetch(made[0]))


def test_L8_a_forked_child_gets_its_own_connections() -> None:
    with served(250) as fake:
        client = BackupsClient(fake.api_key, base_url=fake.url)
        listing = [backup.backup_id for backup in fake.backups]

        async def walk() -> list[str]:
            return [backup.backup_id async for backup in client.list_backups()]

        async def parent() -> None:
            assert await walk() == listing
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # this process has threads
                child = os.fork()
            if child == 0:
                os._exit(0 if asyncio.run(walk()) == listing and asyncio.run(client.close()) is None else 1)
            for _ in range(5):
                assert await walk() == listing
                await asyncio.sleep(0.05)
            _, status = await asyncio.to_thread(os.waitpid, child, 0)
            assert os.waitstatus_to_exitcode(status) == 0
            assert await walk() == listing
            await client.close()

        asyncio.run(parent())


@pytest.mark.parametrize("ends", ["closes", "drops"])
def test_L8_a_child_that_uses_nothing_touches_nothing(ends: str) -> None:
    with served(3) as fake:
        made = [BackupsClient(fake.api_key, base_url=fake.url)]

        async def parent() -> None:
            await fetch(made[0])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # this process has threads
                child = os.fork()
            if child == 0:
                with warnings.catch_warnings(record=True) as seen:
                    warnings.simplefilter("always")
                    if ends == "closes":
                        asyncio.run(made[0].close())
                    made.clear()
                    gc.collect()
                os._exit(len([found for found in seen if "BackupsClient" in str(found.message)]))
            _, status = await asyncio.to_thread(os.waitpid, child, 0)
            assert os.waitstatus_to_exitcode(status) == 0
            assert len((await fetch(made[0])).data) == 3
            assert len(fake.requests) == 2
            await made[0].close()

        asyncio.run(parent())


async def test_L9_consumers_that_hang_up_leave_no_request_behind() -> None:
    async with fault_server(backups=300) as server, client_of(server) as client:
        before = open_descriptors()
        walks = [asyncio.create_task(listed(client)) for _ in range(40)]
        await asyncio.sleep(0.02)
        for walk in walks:
            walk.cancel()
        await asyncio.gather(*walks, return_exceptions=True)
        seen = len(server.heads)
        await asyncio.sleep(0.3)
        assert len(server.heads) == seen
        await client.close()
        await asyncio.sleep(0.05)
        assert open_descriptors() <= before


async def test_L10_two_tasks_on_one_walk_lose_nothing() -> None:
    async with fault_server([slowly], backups=9) as server, client_of(server) as client:
        walk = aiter(client.list_backups())

        async def take() -> str:
            return (await anext(walk)).backup_id

        first = asyncio.create_task(take())
        await asyncio.sleep(0.01)
        with pytest.raises(RuntimeError, match="two tasks iterate one walk"):
            await anext(walk)
        assert [await first, *[backup.backup_id async for backup in walk]] == server.ids
