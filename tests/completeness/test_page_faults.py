"""P: tokens and pages over the wire.

tests/client/test_pager.py tests the rules with scripted pages, tests/unit/test_decode.py which tokens there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlsplit

import pytest

from pinecone_backups_async import Backup, ServiceError, TransportError
from tests.support.clients import client_of, listed
from tests.support.fault_kinds import ALL, stall
from tests.support.fault_server import Behaviour, Exchange, answer, fault_server, keep_open, normal
from tests.support.samples import page_body, row


def query(request_head: bytes) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request_head.split(b" ")[1].decode()).query, keep_blank_values=True))


def page(number: int, next_token: str | None) -> Behaviour:
    return keep_open(answer(page_body(row(f"b{number}"), next_token=next_token)))


@pytest.mark.parametrize("token", ["a+b/c=", "x&y=z#f%41", "two words", "line\r\nX-Evil: 1", "日本語🎉", "%2B", "\0"])
async def test_P3_P5_a_token_comes_back_as_it_was_and_alone(token: str) -> None:
    async with fault_server([page(0, token), page(1, None)]) as server, client_of(server) as client:
        assert await listed(client, limit=3) == ["b0", "b1"]
        assert [query(head) for head in server.heads] == [{"limit": "3"}, {"paginationToken": token}]
        assert b"X-Evil" not in server.heads[1].split(b"\r\n", 1)[1]


async def half_the_body(exchange: Exchange) -> None:
    await exchange.send(answer(exchange.page)[:-20])
    await asyncio.sleep(60)


async def step_of(walk: AsyncIterator[Backup]) -> Backup:
    return await anext(walk)


async def test_P7_a_cancelled_step_loses_nothing() -> None:
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


@pytest.mark.parametrize("before", [0, 1, 4])
@pytest.mark.parametrize("kind", ["500", "cut mid-body"])
async def test_P8_P9_after_an_error_nothing_is_lost(kind: str, before: int) -> None:
    """The error's token resumes in another listing; the same iterator goes on where it stood."""
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
