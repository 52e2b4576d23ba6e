"""The client end to end, against a real local server: what it asks for, what comes back, and its own life."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from pinecone_backups_async import ClientClosedError, IncompleteListingError, TransportTimeoutError
from pinecone_backups_async.testing import Answer, FakePinecone
from tests.support.clients import client_of


async def test_what_leaves_with_every_request() -> None:
    """However the host is spelled."""
    async with FakePinecone(backups=150) as fake:
        fake.play(Answer(body={"data": [], "pagination": {"next": "x"}}, headers={"Set-Cookie": "session=1"}), None)
        for base_url in (fake.url, f"HTTP://LOCALHOST:0{fake.url.rpartition(':')[2]}"):
            async with client_of(fake, base_url=base_url, additional_headers={"X-Team": "search"}) as client:
                await client.fetch_page()
                await client.list_backups().to_list()
    for request in fake.requests:
        sent = {name.lower(): value for name, value in request.headers.items()}
        assert (sent["api-key"], sent["accept"]) == (fake.api_key, "application/json")
        assert (sent["x-pinecone-api-version"], sent["x-team"]) == ("2026-04", "search")
        assert sent.keys() == {
            "host", "accept", "accept-encoding", "user-agent", "api-key", "x-pinecone-api-version", "x-team",
        }  # fmt: skip


@pytest.mark.parametrize(("arguments", "query"), [
    ({}, {"limit": "100"}), ({"limit": 7}, {"limit": "7"}), ({"max_items": 30}, {"limit": "30"}),
    ({"max_items": 3000}, {"limit": "100"}), ({"limit": 50, "max_items": 300}, {"limit": "50"}),
    ({"limit": 50, "max_items": 3}, {"limit": "3"}),
])  # fmt: skip
async def test_the_page_size_that_is_asked_for(arguments: dict[str, Any], query: dict[str, str]) -> None:
    async with FakePinecone(backups=3) as fake, client_of(fake) as client:
        await client.list_backups(**arguments).to_list()
        assert fake.requests[0].query == query


async def test_an_inventory_stands_while_backups_come_and_go() -> None:
    async with FakePinecone(backups=30) as fake, client_of(fake) as client:

        def churn(_: object) -> None:
            if len(fake.requests) < 15:
                fake.delete(fake.backups[0].backup_id)

        fake.before_answer = churn
        with pytest.raises(IncompleteListingError) as caught:
            await client.inventory(limit=4, max_passes=2)
        assert (caught.value.passes, len(fake.requests) < 15) == (2, True)
        assert {*await client.inventory(limit=4)} >= {*fake.backups}


async def test_a_call_may_bring_its_own_timeouts() -> None:
    async with FakePinecone(backups=1, delay=0.2) as fake, client_of(fake, attempt_timeout=0.05) as client:
        listing = client.list_backups(timeout=0.15)
        for call in (client.fetch_page(timeout=0.15), listing.to_list(), client.inventory(timeout=0.15)):
            with pytest.raises(TransportTimeoutError, match=r"no complete response within 0\.0") as caught:
                await call
            assert caught.value.attempts >= 2
        assert len(await client.list_backups(attempt_timeout=5).to_list()) == 1


async def test_closing_is_final_and_may_be_repeated() -> None:
    async with FakePinecone(backups=1) as fake:
        await client_of(fake).close()
        client = client_of(fake)
        await client.fetch_page()
        await asyncio.gather(client.close(), client.close())
        await client.close()
        assert repr(client).endswith(", closed>")
        for call in (client.fetch_page(pagination_token="t"), client.list_backups().to_list(), client.inventory()):
            with pytest.raises(ClientClosedError, match="the client is closed") as caught:
                await call
            assert caught.value.attempts == 0
        assert len(fake.requests) == 1


async def test_a_connector_is_borrowed_and_never_closed() -> None:
    async with FakePinecone(backups=1) as fake, aiohttp.TCPConnector() as connector:
        for _ in range(2):
            async with client_of(fake, connector=connector) as client:
                await client.fetch_page()
        assert not connector.closed
