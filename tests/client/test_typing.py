"""What a type checker infers for callers: mypy and pyright read this file, and it runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping
from typing import Any, assert_type

from pinecone_backups_async import Backup, BackupPage, BackupPager, BackupsClient, MetadataSchema
from pinecone_backups_async.testing import FakePinecone


async def test_what_a_caller_gets_is_typed() -> None:
    async with FakePinecone(backups=3) as fake, BackupsClient(fake.api_key, base_url=fake.url) as client:
        pager = client.list_backups(limit=1)
        assert_type(client, BackupsClient)
        assert_type(pager, BackupPager)
        assert_type(pager.pages(), AsyncIterator[BackupPage])
        async for backup in pager:
            assert_type(backup, Backup)
        async for page in pager.pages():
            assert_type(page, BackupPage)
        assert_type(await pager.to_list(), list[Backup])
        assert_type(await client.inventory(), list[Backup])
        page = await client.fetch_page()
        assert_type(page, BackupPage)
        assert_type(page.data, tuple[Backup, ...])
        assert_type(page.next_token, str | None)
        first = page.data[0]
        assert_type(first.backup_id, str)
        assert_type(first.created_at, dt.datetime | None)
        assert_type(first.size_bytes, int | None)
        assert_type(first.tags, Mapping[str, Any] | None)
        assert_type(first.schema, MetadataSchema | None)
        assert_type(first.to_dict(), dict[str, Any])
