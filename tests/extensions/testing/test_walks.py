"""10,000 backups, in one listing and resumed page by page: exact each time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pinecone_backups_async import Backup, BackupsClient
from pinecone_backups_async.testing import FakePinecone, sample_backups

ALL = tuple(sample_backups(10_000))


@pytest.fixture
async def client() -> AsyncIterator[BackupsClient]:
    async with FakePinecone(ALL) as fake, BackupsClient(fake.api_key, base_url=fake.url) as client:
        yield client


async def test_in_one_listing(client: BackupsClient) -> None:
    assert tuple([backup async for backup in client.list_backups(limit=99)]) == ALL


async def test_resumed_page_by_page_from_each_next_token(client: BackupsClient) -> None:
    page = await client.fetch_page(limit=100)
    walked: list[Backup] = list(page.data)
    tokens: list[str] = []
    while page.next_token is not None:
        tokens.append(page.next_token)
        page = await client.fetch_page(pagination_token=page.next_token)
        walked += page.data
    assert (tuple(walked), len(tokens)) == (ALL, 100)
    for number in (1, 57, 98, 100):
        assert tuple(await client.list_backups(pagination_token=tokens[number - 1]).to_list()) == ALL[100 * number :]
