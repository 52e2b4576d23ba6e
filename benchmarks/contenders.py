"""The compared ways to list a project's backups. Each one is a client that stays open and a walk over every page.

Each walk asks for the same pages on one kept connection and returns every backup's id, so that all do the same work and
a wrong result is seen.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import aiohttp
import orjson
from pinecone import AsyncPinecone

from pinecone_backups_async import BackupsClient

from .server import ROWS

KEY = "pcsk_benchmark"
_HEADERS = {"Api-Key": KEY, "X-Pinecone-Api-Version": "2026-04", "Accept": "application/json"}
Walk = Callable[[], Awaitable[list[str]]]


async def raw_pages(session: aiohttp.ClientSession, base_url: str) -> AsyncGenerator[list[dict[str, Any]], None]:
    """Yield the rows of each page with the least that does so: aiohttp, orjson, a loop. No model, retry or check."""
    query = {"limit": str(ROWS)}
    while True:
        async with session.get(f"{base_url}/backups", params=query, headers=_HEADERS) as response:
            page = orjson.loads(await response.read())
        yield page["data"]
        if not page["pagination"]:
            return
        query = {"paginationToken": page["pagination"]["next"]}


@contextlib.asynccontextmanager
async def contenders(url: str) -> AsyncGenerator[dict[str, Walk], None]:
    """Open every client; give its walk. The control is the bare loop again, with a session of its own."""

    def bare(session: aiohttp.ClientSession) -> Walk:
        async def walk() -> list[str]:
            return [row["backup_id"] async for rows in raw_pages(session, url) for row in rows]

        return walk

    async def ours() -> list[str]:
        return [backup.backup_id async for backup in client.list_backups()]

    async def official() -> list[str]:
        ids: list[str] = []
        token: str | None = None
        while True:  # the official asyncio client lists one page a call
            page = await pinecone.backups.list(limit=ROWS, pagination_token=token)
            ids.extend(backup.backup_id for backup in page)
            if page.pagination is None:
                return ids
            token = page.pagination.next

    async with (
        aiohttp.ClientSession() as first,
        BackupsClient(KEY, base_url=url) as client,
        AsyncPinecone(api_key=KEY, host=url) as pinecone,
        aiohttp.ClientSession() as second,
    ):
        yield {"raw": bare(first), "ours": ours, "official": official, "control": bare(second)}
