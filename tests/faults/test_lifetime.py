"""L: cancelled in each phase of a call, one phase at a time; and walks that outlive their loop."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pinecone_backups_async import Backup, BackupsClient, RetryPolicy
from tests.served import served
from tests.wire.conftest import guard
from tests.wire.helpers import AT_ONCE, client_of, connections_held
from tests.wire.kinds import stall
from tests.wire.server import Behaviour, Exchange, answer, error, fault_server, normal

__all__ = ["guard"]


async def half_the_headers(exchange: Exchange) -> None:
    await exchange.send(answer(exchange.page)[:30])
    await asyncio.sleep(60)


async def half_the_body(exchange: Exchange) -> None:
    await exchange.send(answer(exchange.page)[:-20])
    await asyncio.sleep(60)


async def cancelled(client: BackupsClient) -> float:
    """Cancel a page that is under way; return how long it took to end."""
    call = asyncio.create_task(client.fetch_page())
    await asyncio.sleep(0.05)
    assert not call.done()
    began = asyncio.get_running_loop().time()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    return asyncio.get_running_loop().time() - began


PHASES: dict[str, Behaviour] = {
    "answer": stall,
    "headers": half_the_headers,
    "body": half_the_body,
    "wait before a retry": error("503 Down"),
}


@pytest.mark.parametrize("phase", PHASES)
async def test_L1_cancelled_in_a_phase_it_ends_at_once_and_the_client_goes_on(phase: str) -> None:
    policy = RetryPolicy(random=lambda: 0.99, base_delay=50, max_delay=50)
    async with fault_server([PHASES[phase]]) as server, client_of(server, retry=policy) as client:
        assert await cancelled(client) < 0.05
        assert connections_held(client) == 0
        await asyncio.sleep(0.05)
        assert len(server.heads) == 1  # and no request after
        assert len((await client.fetch_page()).data) == 3


@contextmanager
def never_accepting() -> Generator[str]:
    """Listen with a queue that is full, so that a connection is neither made nor refused."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_L1_cancelled_while_it_connects() -> None:
    with never_accepting() as url:
        async with BackupsClient("key", base_url=url, retry=AT_ONCE) as client:
            assert await cancelled(client) < 0.05
            assert connections_held(client) == 0


async def step_of(walk: AsyncIterator[Backup]) -> Backup:
    return await anext(walk)


async def test_P7_a_cancelled_step_of_a_walk_loses_nothing() -> None:
    async with fault_server([normal, stall, half_the_body, normal], backups=15) as server:
        async with client_of(server) as client:
            walk, seen = aiter(client.list_backups()), list[str]()
            cancels = 0
            while len(seen) < 15:
                step = asyncio.create_task(step_of(walk))
                await asyncio.wait([step], timeout=0.1)
                if step.cancel():
                    cancels += 1
                    with pytest.raises(asyncio.CancelledError):
                        await step
                else:
                    seen.append(step.result().backup_id)
            assert (seen, cancels) == (server.ids, 2)
            with pytest.raises(StopAsyncIteration):
                await anext(walk)


ABANDONING = """
import asyncio, gc, logging, sys
from pinecone_backups_async import BackupsClient
logging.basicConfig(level=logging.WARNING)
client, kept = BackupsClient(), []
async def leave():
    for walk in (aiter(client.list_backups()), client.list_backups().pages()):
        await anext(walk)
        kept.append(walk)
    aiter(client.list_backups())
asyncio.run(leave())
kept.clear()
gc.collect()
asyncio.run(client.close())
"""


def test_L4_walks_that_outlive_their_loop_are_collected_without_a_word(tmp_path: Path) -> None:
    script = tmp_path / "abandoning.py"
    script.write_text(ABANDONING)
    with served(250) as fake:
        command = [sys.executable, "-X", "dev", "-W", "error", str(script)]
        done = subprocess.run(command, env={**os.environ, **fake.environ}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
