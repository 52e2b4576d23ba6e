"""10,000 backups, walked in every way that the client offers: exact each time."""

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


async def test_by_item(client: BackupsClient) -> None:
    assert tuple([backup async for backup in client.list_backups()]) == ALL


async def test_by_page(client: BackupsClient) -> None:
    pages = [page async for page in client.list_backups(limit=99).pages()]
    assert tuple(backup for page in pages for backup in page.data) == ALL
    assert [len(page.data) for page in pages] == [99] * 101 + [1]


@pytest.mark.parametrize("most", [0, 1, 100, 101, 9_950])
async def test_with_max_items(client: BackupsClient, most: int) -> None:
    assert tuple(await client.list_backups(max_items=most).to_list()) == ALL[:most]


async def test_resumed_page_by_page_from_each_next_token(client: BackupsClient) -> None:
    walked: list[Backup] = []
    token: str | None = None
    tokens: list[str] = []
    while True:
        page = await anext(aiter(client.list_backups(pagination_token=token).pages()))
        walked.extend(page.data)
        token = page.next_token
        if token is None:
            break
        tokens.append(token)
    assert tuple(walked) == ALL
    assert len(tokens) == 100
    for number in (1, 57, 98, 100):
        rest = await client.list_backups(pagination_token=tokens[number - 1]).to_list()
        assert tuple(rest) == ALL[100 * number :]
