"""The official client reads the same backups from this server as ours does, page by page."""

from __future__ import annotations

import pytest

from pinecone_backups_async import BackupsClient
from pinecone_backups_async.testing import FakePinecone
from tests.support.other_clients import official_pages


@pytest.mark.parametrize(("count", "limit"), [(250, 100), (200, 100), (25, 7), (0, 10)])
async def test_the_official_client_lists_the_same_pages(count: int, limit: int) -> None:
    """250 backups end in a short page, 200 in an empty one."""
    async with FakePinecone(backups=count) as fake, BackupsClient(fake.api_key, base_url=fake.url) as client:
        ours = [[backup.backup_id for backup in page.data] async for page in client.list_backups(limit=limit).pages()]
        assert await official_pages(fake.url, limit, key=fake.api_key) == ours
    assert sum(map(len, ours)) == count
