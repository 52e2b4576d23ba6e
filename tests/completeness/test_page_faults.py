"""P: tokens and pages over the wire. The rules themselves are tested with scripted pages in tests/test_pager.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlsplit

import pytest

from pinecone_backups_async import Backup, PaginationLoopError, ResponseParsingError, ServiceError, TransportError
from tests.support.clients import client_of, listed
from tests.support.fault_kinds import ALL, stall
from tests.support.fault_server import Behaviour, Exchange, answer, fault_server, keep_open, normal
from tests.support.samples import page_body, row


def query(request_head: bytes) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request_head.split(b" ")[1].decode()).query, keep_blank_values=True))


def page(number: int, next_token: str | None) -> Behaviour:
    return keep_open(answer(page_body(row(f"b{number}"), next_token=next_token)))


@pytest.mark.parametrize("lead", [0, 1, 2])
@pytest.mark.parametrize("cycle", [1, 2, 3, 4, 5])
async def test_P1_a_circle_of_tokens_is_an_error_before_a_page_is_repeated(lead: int, cycle: int) -> None:
    """The tokens are t0, t1, ... and from the lead on they repeat: behind the page of the last one comes the first's."""
    async with fault_server() as server, client_of(server) as client:
        tokens = [f"t{number if number < lead else lead + (number - lead) % cycle}" for number in range(20)]
        server.script = [page(number, token) for number, token in enumerate(tokens)]
        seen: list[str] = []
        with pytest.raises(PaginationLoopError):
            async for backup in client.list_backups():
                seen.append(backup.backup_id)  # noqa: PERF401 - what came before the error is the point
        assert seen == [f"b{number}" for number in range(len(server.heads))]
        assert len(server.heads) == 1 + lead + cycle  # the first page has no token


@pytest.mark.soak
async def test_P1_so_are_ten_thousand_pages_without_a_new_backup() -> None:
    async with fault_server() as server, client_of(server) as client:
        server.script = [page(0, f"t{number}") for number in range(10_100)]
        seen: list[str] = []
        with pytest.raises(PaginationLoopError, match="10000 pages in a row"):
            async for backup in client.list_backups():
                seen.append(backup.backup_id)  # noqa: PERF401 - what came before the error is the point
        assert (seen, len(server.heads)) == (["b0"], 10_001)


@pytest.mark.parametrize(
    "end", [b', "pagination": {"next": ""}', b', "pagination": {"next": null}', b', "pagination": null', b""]
)
async def test_P2_the_ways_to_end(end: bytes) -> None:
    async with fault_server([answer(b'{"data": []' + end + b"}")]) as server, client_of(server) as client:
        assert await listed(client) == []
        assert len(server.heads) == 1


@pytest.mark.parametrize("token", ["a+b/c=", "x&y=z#f%41", "two words", "line\r\nX-Evil: 1", "日本語🎉", "%2B", "\0"])
async def test_P3_a_token_comes_back_as_it_was(token: str) -> None:
    async with fault_server() as server, client_of(server) as client:
        server.script = [page(0, token), page(1, None)]
        assert await listed(client) == ["b0", "b1"]
        assert query(server.heads[1]) == {"paginationToken": token}
        assert b"X-Evil" not in server.heads[1].split(b"\r\n", 1)[1]


@pytest.mark.parametrize("token", [b"5", b'"\\ud800"', b'"' + b"t" * 8193 + b'"'])
async def test_P4_a_token_that_is_none_is_an_error(token: bytes) -> None:
    body = b'{"data": [], "pagination": {"next": ' + token + b"}}"
    async with fault_server([answer(body)] * 4) as server, client_of(server) as client:
        with pytest.raises(ResponseParsingError):
            await listed(client)


async def test_P5_no_request_has_a_limit_beside_a_token() -> None:
    async with fault_server(backups=9) as server, client_of(server) as client:
        assert await listed(client, limit=3) == server.ids
        assert [set(query(seen)) for seen in server.heads] == [{"limit"}, {"paginationToken"}, {"paginationToken"}]


async def test_P6_a_thousand_empty_pages_are_walked_through() -> None:
    async with fault_server() as server, client_of(server) as client:
        empty: list[Behaviour] = [keep_open(answer(page_body(next_token=f"t{number}"))) for number in range(1000)]
        server.script = [*empty, page(1, None)]
        assert await listed(client) == ["b1"]
        assert len(server.heads) == 1001


async def test_P7_after_a_timeout_the_walk_goes_on_where_it_stood() -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.1)
        await exchange.send(answer(exchange.page))

    async with fault_server(backups=15) as server, client_of(server) as client:
        server.script = [slow] * 10
        walk, seen, timeouts = aiter(client.list_backups()), list[str](), 0
        while len(seen) < 15:
            try:
                seen.append((await asyncio.wait_for(anext(walk), 0.08 if timeouts < 3 else 5)).backup_id)
            except TimeoutError:
                timeouts += 1
        assert (seen, timeouts) == (server.ids, 3)
        with pytest.raises(StopAsyncIteration):
            await anext(walk)


async def step_of(walk: AsyncIterator[Backup]) -> Backup:
    return await anext(walk)


async def test_P7_a_cancelled_step_of_a_walk_loses_nothing() -> None:
    async def half_the_body(exchange: Exchange) -> None:
        await exchange.send(answer(exchange.page)[:-20])
        await asyncio.sleep(60)

    async with fault_server([normal, stall, half_the_body, normal], backups=15) as server, client_of(server) as client:
        walk, seen, cancels = aiter(client.list_backups()), list[str](), 0
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


@pytest.mark.parametrize("before", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["500", "cut mid-body"])
async def test_P8_P9_after_an_error_nothing_is_lost_and_its_token_resumes(kind: str, before: int) -> None:
    async with fault_server([*[normal] * before, *[ALL[kind]] * 4], backups=15) as server, client_of(server) as client:
        walk, seen = aiter(client.list_backups()), list[str]()
        with pytest.raises((ServiceError, TransportError)) as caught:
            async for backup in walk:
                seen.append(backup.backup_id)
        assert seen == server.ids[: 3 * before]
        token = caught.value.pagination_token
        assert token == (str(3 * before) if before else None)
        assert seen + await listed(client, pagination_token=token) == server.ids
        assert seen + [backup.backup_id async for backup in walk] == server.ids
