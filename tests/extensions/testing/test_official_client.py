"""The official client reads the same backups from this server as ours does, page by page."""

from __future__ import annotations

import asyncio

import pytest
from pinecone import AsyncPinecone, Pinecone

from pinecone_backups_async import BackupsClient
from pinecone_backups_async.testing import FakePinecone

# 250 ends in a short page, 200 in an empty one.
COUNTS_AND_LIMITS = [(250, 100), (200, 100), (25, 7), (0, 10)]


async def our_pages(fake: FakePinecone, limit: int) -> list[list[str]]:
    async with BackupsClient(fake.api_key, base_url=fake.url) as client:
        return [[backup.backup_id for backup in page.data] async for page in client.list_backups(limit=limit).pages()]


def official_pages(fake: FakePinecone, limit: int) -> list[list[str]]:
    with Pinecone(api_key=fake.api_key, host=fake.url) as client:
        page = client.backups.list(limit=limit)
        pages = [page]
        while page.pagination is not None and page.pagination.next:
            page = client.backups.list(pagination_token=page.pagination.next)
            pages.append(page)
    return [[backup.backup_id for backup in page] for page in pages]


async def official_async_pages(fake: FakePinecone, limit: int) -> list[list[str]]:
    async with AsyncPinecone(api_key=fake.api_key, host=fake.url) as client:
        page = await client.backups.list(limit=limit)
        pages = [page]
        while page.pagination is not None and page.pagination.next:
            page = await client.backups.list(pagination_token=page.pagination.next)
            pages.append(page)
    return [[backup.backup_id for backup in page] for page in pages]


@pytest.mark.parametrize(("count", "limit"), COUNTS_AND_LIMITS)
async def test_the_official_client_lists_the_same_ids_page_by_page(count: int, limit: int) -> None:
    async with FakePinecone(backups=count) as fake:
        ours = await our_pages(fake, limit)
        assert await asyncio.to_thread(official_pages, fake, limit) == ours
    assert sum(map(len, ours)) == count


@pytest.mark.parametrize(("count", "limit"), COUNTS_AND_LIMITS)
async def test_so_does_its_asyncio_client(count: int, limit: int) -> None:
    async with FakePinecone(backups=count) as fake:
        ours = await our_pages(fake, limit)
        assert await official_async_pages(fake, limit) == ours
    assert sum(map(len, ours)) == count
