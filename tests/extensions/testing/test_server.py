"""The server's life: scripts, delays, hooks, what it records, and that it ends at once."""

from __future__ import annotations

import asyncio
import threading
import time

import aiohttp
import pytest

from pinecone_backups_async import BackupsClient, RetryPolicy, ServiceError, testing
from pinecone_backups_async.testing import Answer, FakePinecone, RecordedRequest
from tests.support.raw_request import ask, get

NO_WAIT = RetryPolicy(random=lambda: 0.0)


def test_a_star_import_gives_exactly_the_public_names() -> None:
    assert testing.__all__ == ["Answer", "FakePinecone", "RecordedRequest", "sample_backups"]


async def test_scripted_answers_are_played_in_order_and_then_it_goes_on_normally() -> None:
    async with FakePinecone(backups=3) as fake:
        fake.play(
            Answer(status=502, body="<html>", headers={"Content-Type": "text/html"}),
            None,
            Answer.error(503, "UNAVAILABLE", "Try later.", headers={"retry-after": "7"}),
            Answer(body=b"\xff"),
        )
        html, normal, unavailable = [await get(fake) for _ in range(3)]
        assert (html.status, html.text, html.headers["Content-Type"]) == (502, "<html>", "text/html")
        assert len(normal.ids) == 3
        assert (unavailable.status, unavailable.headers["Retry-After"]) == (503, "7")
        broken = await ask(fake, "POST /anything")
        assert (broken.status, broken.text) == (200, "\ufffd")
        assert len((await get(fake)).ids) == 3


def client_of(fake: FakePinecone) -> BackupsClient:
    return BackupsClient(fake.api_key, base_url=fake.url, retry=NO_WAIT)


@pytest.mark.parametrize("scripted", [True, False])
async def test_an_answer_takes_as_long_as_it_is_told(scripted: bool) -> None:
    async with FakePinecone(backups=1, delay=0 if scripted else 0.1) as fake:
        if scripted:
            fake.play(Answer(delay=0.1))
        start = time.monotonic()
        await get(fake)
        assert 0.09 < time.monotonic() - start < 1


async def test_it_ends_at_once_though_an_answer_is_still_being_waited_for() -> None:
    arrived = asyncio.Event()
    async with FakePinecone(backups=1, delay=60, before_answer=lambda _: arrived.set()) as fake:
        waiting = asyncio.create_task(get(fake))
        await arrived.wait()
        start = time.monotonic()
    assert time.monotonic() - start < 1
    with pytest.raises(aiohttp.ClientError):
        await waiting


async def test_a_handler_ends_with_its_connection() -> None:
    async with FakePinecone(backups=1, delay=60) as fake:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(get(fake), 0.05)
        handlers = asyncio.all_tasks() - {asyncio.current_task()}
        assert len(fake.requests) == 1
        if handlers:
            _, still_running = await asyncio.wait(handlers, timeout=5)
            assert not still_running


async def test_it_records_what_it_was_asked_and_shows_neither_key_nor_body() -> None:
    async with FakePinecone(indexes=["a/b"], api_key="pcsk_own") as fake:
        query: dict[str, str | int] = {"limit": 7, "paginationToken": "a+b=c&d"}
        await ask(fake, "POST /indexes/a%2Fb/backups", query=query, json={"name": "canary"})
        await get(fake)
        seen, listing = fake.requests
    assert (seen.method, seen.path) == ("POST", "/indexes/a/b/backups")
    assert seen.query == {"limit": "7", "paginationToken": "a+b=c&d"}
    assert (seen.json, seen.body, listing.json) == ({"name": "canary"}, b'{"name": "canary"}', None)
    assert seen.headers["api-key"] == seen.headers["API-KEY"] == "pcsk_own"
    assert "pcsk_own" not in repr(seen)
    assert "canary" not in repr(seen)
    assert "'Api-Key': '***'" in repr(seen)


async def test_its_repr_is_short_and_without_the_key() -> None:
    fake = FakePinecone(backups=3)
    assert repr(fake) == "<FakePinecone: 3 backups, not running>"
    async with fake:
        assert repr(fake) == f"<FakePinecone: 3 backups, {fake.url}>"


async def test_it_has_an_address_only_while_it_runs_and_can_run_again() -> None:
    fake = FakePinecone(backups=1)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="only inside `async with`"):
            _ = fake.url
        async with fake:
            assert (await get(fake)).status == 200
    assert len(fake.requests) == 2
    await fake.__aexit__(None, None, None)  # leaving what does not run does nothing
    fake.__exit__(None, None, None)


async def test_a_port_that_is_taken_is_an_os_error_and_leaves_nothing_behind() -> None:
    async with FakePinecone() as fake:
        second = FakePinecone(port=int(fake.url.rpartition(":")[2]))
        with pytest.raises(OSError, match="address already in use"):
            await second.__aenter__()
        with pytest.raises(RuntimeError):
            _ = second.url


def test_in_a_thread_it_serves_code_that_runs_loops_itself() -> None:
    async def count(fake: FakePinecone) -> int:
        async with client_of(fake) as client:
            return len(await client.list_backups().to_list())

    threads = threading.active_count()
    with FakePinecone(backups=120) as fake:
        assert [asyncio.run(count(fake)) for _ in range(2)] == [120, 120]
        fake.delete(fake.backups[0].backup_id)
        assert asyncio.run(count(fake)) == 119
    assert threading.active_count() == threads
    with pytest.raises(RuntimeError, match="only inside"):
        _ = fake.url


def test_a_thread_that_cannot_serve_is_not_left() -> None:
    threads = threading.active_count()
    with FakePinecone() as fake, pytest.raises(OSError, match="in use"):
        with FakePinecone(port=int(fake.url.rpartition(":")[2])):
            pytest.fail("the port was taken")
    assert threading.active_count() == threads


async def test_it_runs_once_at_a_time() -> None:
    async with FakePinecone() as fake:
        with pytest.raises(RuntimeError, match="runs already"):
            await fake.__aenter__()
        with pytest.raises(RuntimeError, match="runs already"):
            fake.__enter__()
        assert (await get(fake)).status == 200


@pytest.mark.parametrize("is_coroutine", [False, True])
async def test_a_hook_sees_each_request_before_it_takes_effect(is_coroutine: bool) -> None:
    def delete_one(request: RecordedRequest) -> None:
        assert request is fake.requests[-1]
        fake.delete(fake.backups[0].backup_id)
        if len(fake.requests) == 3:
            fake.play(Answer(status=503))

    async def delete_one_later(request: RecordedRequest) -> None:
        await asyncio.sleep(0)
        delete_one(request)

    async with FakePinecone(backups=5, before_answer=delete_one_later if is_coroutine else delete_one) as fake:
        assert [len((await get(fake)).ids) for _ in range(2)] == [4, 3]
        assert (await get(fake)).status == 503


async def test_what_a_hook_raises_is_raised_again_where_the_test_sees_it() -> None:
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
