"""The server's life: scripts, delays, hooks, what it records, and that it ends at once."""

from __future__ import annotations

import asyncio
import threading
import time

import aiohttp
import pytest

from pinecone_backups_async import ServiceError, testing
from pinecone_backups_async.testing import Answer, FakePinecone, RecordedRequest
from tests.support.clients import client_of, listed
from tests.support.raw_request import ask, get


def test_a_star_import_gives_exactly_the_public_names() -> None:
    assert testing.__all__ == ["Answer", "FakePinecone", "RecordedRequest", "sample_backups"]


async def test_scripted_answers_are_played_in_order(fake: FakePinecone) -> None:
    fake.play(
        Answer(status=502, body="<html>", headers={"Content-Type": "text/html"}),
        None,
        Answer.error(503, "UNAVAILABLE", "Try later.", headers={"retry-after": "7"}),
        Answer(body=b"\xff"),
    )
    html, normal, unavailable = [await get(fake) for _ in range(3)]
    assert (html.status, html.text, html.headers["Content-Type"]) == (502, "<html>", "text/html")
    assert (len(normal.ids), unavailable.status, unavailable.headers["Retry-After"]) == (4, 503, "7")
    broken = await ask(fake, "POST /anything")
    assert (broken.status, broken.text, len((await get(fake)).ids)) == (200, "\ufffd", 4)


@pytest.mark.parametrize("scripted", [True, False])
async def test_an_answer_takes_as_long_as_it_is_told(fake: FakePinecone, scripted: bool) -> None:
    if scripted:
        fake.play(Answer(delay=0.1))
    else:
        fake.delay = 0.1
    start = time.monotonic()
    await get(fake)
    assert 0.09 < time.monotonic() - start < 1


async def test_it_ends_at_once_though_a_request_waits() -> None:
    arrived = asyncio.Event()
    async with FakePinecone(backups=1, delay=60, before_answer=lambda _: arrived.set()) as fake:
        waiting = asyncio.create_task(get(fake))
        await arrived.wait()
        start = time.monotonic()
    assert time.monotonic() - start < 1
    with pytest.raises(aiohttp.ClientError):
        await waiting


async def test_it_records_requests_and_shows_no_secret() -> None:
    fake = FakePinecone(indexes=["a/b"], api_key="pcsk_own")
    assert repr(fake) == "<FakePinecone: 0 backups, not running>"
    async with fake:
        query = {"limit": 7, "paginationToken": "a+b=c&d"}
        await ask(fake, "POST /indexes/a%2Fb/backups", query=query, json={"name": "canary"})
        await get(fake)
        assert repr(fake) == f"<FakePinecone: 1 backups, {fake.url}>"
    seen, listing = fake.requests
    assert (seen.method, seen.path) == ("POST", "/indexes/a/b/backups")
    assert seen.query == {"limit": "7", "paginationToken": "a+b=c&d"}
    assert (seen.json, seen.body, listing.json) == ({"name": "canary"}, b'{"name": "canary"}', None)
    assert seen.headers["api-key"] == seen.headers["API-KEY"] == "pcsk_own"
    assert [text in repr(seen) for text in ("pcsk_own", "canary", "'Api-Key': '***'")] == [False, False, True]


async def test_it_has_an_address_only_while_it_runs() -> None:
    """It can run again, and leaving what does not run does nothing."""
    fake = FakePinecone(backups=1)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="only inside `async with`"):
            _ = fake.url
        async with fake:
            assert (await get(fake)).status == 200
            for enter in (fake.__aenter__, lambda: asyncio.to_thread(fake.__enter__)):
                with pytest.raises(RuntimeError, match="runs already"):
                    await enter()
    assert len(fake.requests) == 2
    await fake.__aexit__(None, None, None)
    fake.__exit__(None, None, None)


def test_in_a_thread_it_serves_code_that_runs_loops() -> None:
    async def count() -> int:
        async with client_of(fake) as client:
            return len(await listed(client))

    threads = threading.active_count()
    with FakePinecone(backups=120) as fake:
        assert [asyncio.run(count()) for _ in range(2)] == [120, 120]
        fake.delete(fake.backups[0].backup_id)
        assert asyncio.run(count()) == 119
    assert threading.active_count() == threads
    with pytest.raises(RuntimeError, match="only inside"):
        _ = fake.url


async def test_a_port_that_is_taken_leaves_nothing(fake: FakePinecone) -> None:
    threads = threading.active_count()
    second = FakePinecone(port=int(fake.url.rpartition(":")[2]))
    with pytest.raises(OSError, match="address already in use"):
        await second.__aenter__()
    with pytest.raises(OSError, match="address already in use"):
        second.__enter__()
    with pytest.raises(RuntimeError):
        _ = second.url
    assert threading.active_count() == threads


@pytest.mark.parametrize("is_coroutine", [False, True])
async def test_a_hook_sees_each_request_before_its_effect(fake: FakePinecone, is_coroutine: bool) -> None:
    def delete_one(request: RecordedRequest) -> None:
        assert request is fake.requests[-1]
        fake.delete(fake.backups[0].backup_id)
        if len(fake.requests) == 3:
            fake.play(Answer(status=503))

    async def delete_one_later(request: RecordedRequest) -> None:
        await asyncio.sleep(0)
        delete_one(request)

    fake.before_answer = delete_one_later if is_coroutine else delete_one
    assert [len((await get(fake)).ids) for _ in range(2)] == [3, 2]
    assert (await get(fake)).status == 503


async def test_what_a_hook_raises_the_test_sees() -> None:
    def wrong(request: RecordedRequest) -> None:
        assert request.query == {}, "not this one"

    fake = FakePinecone(backups=5, before_answer=wrong)
    with pytest.raises(AssertionError, match="not this one"):
        async with fake, client_of(fake) as client:
            with pytest.raises(ServiceError):
                await client.fetch_page()
    async with fake:
        fake.before_answer = None
        assert (await get(fake)).status == 200
