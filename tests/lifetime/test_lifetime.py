"""L: the life of a client: closed or forgotten, in one loop after another, in forked processes."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import pytest

from pinecone_backups_async import BackupsClient, BackupsError, ClientClosedError, RetryPolicy
from pinecone_backups_async.testing import FakePinecone
from tests.support.clients import client_of, in_a_thread
from tests.support.fault_kinds import stall
from tests.support.fault_server import Behaviour, FaultServer, answer, error, fault_server, keep_open
from tests.support.guard import CANARY
from tests.support.timing import at_most, once_more


async def test_L5_close_in_the_turn_in_which_a_wait_ends() -> None:
    """Close runs after the time of a wait before a retry is up and before its task has noticed."""
    loop = asyncio.get_running_loop()
    policy = RetryPolicy(attempts=2, random=lambda: 1.0, base_delay=0.2)
    async with fault_server([keep_open(error("503 Down"))]) as server:
        client, due = client_of(server, retry=policy), loop.create_future()

        async def close_when_due() -> None:
            await due
            await client.close()

        call, closing = asyncio.create_task(client.fetch_page()), asyncio.create_task(close_when_due())
        await asyncio.sleep(0.1)  # the wait has begun
        loop.call_later(0.01, due.set_result, None)
        time.sleep(0.2)  # noqa: ASYNC251 - so that both are due in the same turn of the loop
        with pytest.raises(ClientClosedError):
            await call
        await closing
        assert len(server.heads) == 1


@pytest.mark.parametrize("when", ["request", "wait before a retry"])
@once_more
async def test_L5_close_ends_what_waits_within_100_ms(when: str) -> None:
    """It is the client that ends a request: aiohttp would not, where the connector is borrowed."""
    policy = RetryPolicy(random=lambda: 0.99, base_delay=50, max_delay=50)
    script = [stall if when == "request" else error("503 Down")] * 2
    async with fault_server(script) as server, aiohttp.TCPConnector() as connector:
        client = client_of(server, retry=policy, connector=connector)
        calls = [asyncio.create_task(client.fetch_page()) for _ in range(2)]
        await asyncio.sleep(0.1)
        seen = len(server.heads)
        with at_most(0.1):
            await asyncio.gather(client.close(), client.close())
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [ClientClosedError] * 2
        await client.close()
        with pytest.raises(ClientClosedError):
            await client.fetch_page()
        assert len(server.heads) == seen


def output_of(program: str, server: FaultServer) -> tuple[str, str]:
    """Run a program whose `BackupsClient()` is one of the server; return what it printed, and its warnings."""
    environ = os.environ | {"PINECONE_API_KEY": CANARY, "PINECONE_CONTROLLER_HOST": server.url}
    command = [sys.executable, "-W", "always", "-c", program]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    return done.stdout, done.stderr


FORGETFUL = """
import asyncio, tracemalloc
from pinecone_backups_async import BackupsClient
tracemalloc.start(5)
async def main():
    client = BackupsClient()
    await client.fetch_page()
asyncio.run(main())
"""


def test_L6_a_forgotten_close_is_one_warning_of_ours() -> None:
    with in_a_thread() as server:
        _, told = output_of(FORGETFUL, server)
    assert told.count("ResourceWarning: ") == 1
    assert f"ResourceWarning: unclosed <BackupsClient {server.url}" in told
    assert 'File "<string>", lineno 6' in told
    assert "lient session" not in told


def test_L7_a_client_serves_one_event_loop_after_another() -> None:
    with FakePinecone(3) as fake, warnings.catch_warnings():
        warnings.simplefilter("error")
        client = client_of(fake)
        for _ in range(3):
            assert len(asyncio.run(client.fetch_page()).data) == 3
        loop = asyncio.new_event_loop()
        assert len(loop.run_until_complete(client.fetch_page()).data) == 3
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        asyncio.run(client.close())
        gc.collect()


async def test_L7_a_second_loop_while_the_first_runs_is_told_so() -> None:
    async with fault_server() as server, client_of(server) as client:
        await client.fetch_page()
        for call in (client.fetch_page, client.close):
            with pytest.raises(RuntimeError, match=r"serves event loop 0x\w+ and cannot serve 0x\w+"):
                await asyncio.to_thread(asyncio.run, call())
        assert len((await client.fetch_page()).data) == 3


# The messages of a loop that is closed, and of its transports, are asyncio's own.
@pytest.mark.filterwarnings("ignore:unclosed", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_L7_a_loop_that_closed_without_a_word() -> None:
    with FakePinecone(3) as fake:
        client = client_of(fake)
        for _ in range(2):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(client.fetch_page())
            loop.close()
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            del client
            gc.collect()
        told = [str(found.message) for found in seen]
        assert sum("BackupsClient" in text for text in told) == 1
        assert not [text for text in told if "lient session" in text or "onnector" in text]


@pytest.mark.parametrize("closed", [True, False])
def test_L7_a_borrowed_connector_stays_with_its_loop(closed: bool) -> None:
    async def first(fake: FakePinecone) -> tuple[BackupsClient, aiohttp.TCPConnector]:
        connector = aiohttp.TCPConnector(force_close=True)
        client = client_of(fake, connector=connector)
        await client.fetch_page()
        if closed:
            await connector.close()
        return client, connector

    with FakePinecone(3) as fake:
        client, connector = asyncio.run(first(fake))
        with pytest.raises(RuntimeError, match="connector= is closed, or of another"):
            asyncio.run(client.fetch_page())
        asyncio.run(connector.close())


def forked(child: Callable[[], int]) -> int:
    """Run this in a forked child, which ends with what it returns, whatever happens; return the child's process id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # this process has threads
        pid = os.fork()
    if pid == 0:
        code = 70
        try:
            code = child()
        finally:
            os._exit(code)
    return pid


async def code_of(pid: int) -> int:
    _, status = await asyncio.to_thread(os.waitpid, pid, 0)
    return os.waitstatus_to_exitcode(status)


def test_L8_a_forked_child_gets_its_own_connections() -> None:
    """Parent and child ask at the same time, each for a page size of its own, which tells the server who it is."""
    with in_a_thread(backups=1) as server:
        client = client_of(server)

        async def ask(limit: int) -> int:
            for _ in range(20):
                assert [backup.backup_id for backup in (await client.fetch_page(limit=limit)).data] == server.ids
                await asyncio.sleep(0.002)
            return 0

        async def parent() -> None:
            await ask(limit=9)
            pid = forked(lambda: asyncio.run(ask(limit=7)))
            await ask(limit=9)
            assert await code_of(pid) == 0
            await ask(limit=9)
            await client.close()

        asyncio.run(parent())
        sizes = [{head.split(b" ")[1] for head in heads} for heads in server.by_connection]
    assert sizes == [{b"/backups?limit=9"}, {b"/backups?limit=7"}]
    assert len(server.heads) == 80


@pytest.mark.parametrize("made_in", ["the parent", "the child"])
def test_a_forked_child_refuses_a_borrowed_connector(made_in: str) -> None:
    """On the same loop nothing else would stop it from sending on the connections of its parent."""
    with in_a_thread() as server, asyncio.Runner() as runner:

        async def use() -> tuple[aiohttp.TCPConnector, BackupsClient]:
            connector = aiohttp.TCPConnector()
            client = client_of(server, connector=connector)
            await client.fetch_page()
            return connector, client

        connector, client = runner.run(use())
        in_child = client if made_in == "the parent" else client_of(server, connector=connector)

        def child() -> int:
            with pytest.raises(RuntimeError, match=r"connector= is closed, or of another"):
                runner.get_loop().run_until_complete(in_child.fetch_page())
            return 0

        assert asyncio.run(code_of(forked(child))) == 0
        runner.run(client.fetch_page())
        assert (len(server.heads), server.connections) == (2, 1)
        runner.run(client.close())
        runner.get_loop().run_until_complete(connector.close())


# It forks while no loop runs: since Python 3.14 a loop cannot end in a child that was forked from within it.
FORKED = """
import asyncio, os, sys, warnings
from pinecone_backups_async import BackupsClient
loop = asyncio.new_event_loop()
client = BackupsClient()
loop.run_until_complete(client.fetch_page())
for ends in (lambda: asyncio.run(client.close()), lambda: loop.run_until_complete(loop.shutdown_asyncgens())):
    if os.fork() == 0:
        warnings.filterwarnings("ignore", "unclosed event loop")  # it is the parent's
        ends()
        del client
        sys.exit(0)
    os.wait()
print(len(loop.run_until_complete(client.fetch_page()).data))
loop.run_until_complete(client.close())
loop.close()
"""


def test_L8_a_child_that_uses_nothing_touches_nothing() -> None:
    """Nor does it say anything when it ends by sys.exit."""
    with in_a_thread() as server:
        assert output_of(FORKED, server) == ("3\n", "")
    assert (len(server.heads), server.connections) == (2, 1)


async def test_a_close_that_was_cancelled_leaves_nothing_open() -> None:
    async with fault_server() as server:
        for turns in range(4):
            client = client_of(server)
            await client.fetch_page()
            closing = asyncio.create_task(client.close())
            for _ in range(turns):
                await asyncio.sleep(0)
            closing.cancel()
            await asyncio.wait([closing])
            await client.close()
            await asyncio.sleep(0.02)
            assert server.open_connections == 0


@pytest.mark.filterwarnings("ignore:unclosed", "ignore::pytest.PytestUnraisableExceptionWarning")  # asyncio's own
def test_a_loop_that_died_in_the_middle_of_a_call() -> None:
    with in_a_thread(script=[stall] * 2) as server:
        unhandled: list[object] = []
        client, loop = client_of(server), asyncio.new_event_loop()
        call = loop.create_task(client.fetch_page())
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.close()

        async def close() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
            await client.close()
            await asyncio.sleep(0.02)

        asyncio.run(close())
        assert unhandled == []
        call._log_destroy_pending = False  # type: ignore[attr-defined]
        del call, loop
        gc.collect()


def test_two_threads_in_their_first_call() -> None:
    async def call(client: BackupsClient, together: threading.Barrier) -> object:
        together.wait()
        try:
            await client.fetch_page()
        except RuntimeError as error:
            return type(error)
        await asyncio.sleep(0.02)  # so that the loop of the first lives while the second calls
        return None

    with in_a_thread() as server, ThreadPoolExecutor(2) as threads:
        for _ in range(8):
            client, together = client_of(server), threading.Barrier(2)
            outcomes = threads.map(asyncio.run, [call(client, together) for _ in range(2)])
            assert sorted(outcomes, key=str) == [RuntimeError, None]
            asyncio.run(client.close())


@pytest.mark.parametrize("behaviour", [error("500 No"), b"", b"nonsense\r\n\r\n", answer(b"<html>")])
async def test_errors_leave_no_garbage(behaviour: Behaviour) -> None:
    """Nor does the client keep the time limits of calls that are over."""
    async with fault_server([behaviour] * 25) as server, client_of(server, retry=RetryPolicy(attempts=1)) as client:
        gc.collect()
        gc.disable()
        try:
            for _ in range(25):
                with pytest.raises(BackupsError):
                    await client.fetch_page()
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            errors = [found for found in gc.garbage if isinstance(found, BaseException)]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
        assert errors == []
        assert sum(isinstance(found, asyncio.Timeout) for found in gc.get_objects()) < 5
