"""Who is compared: ways to list a project's backups, each a client that stays open and a walk over every page.

Each walk asks for the same pages on one kept connection and returns every backup's id, so that all do the same work and
a wrong result is seen. Knows the public names of the clients alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import aiohttp
import orjson
from pinecone import AsyncPinecone

from pinecone_backups_async import BackupsClient

from .payloads import ROWS

__all__ = ["CONTENDERS", "KEY", "Walk", "raw_pages"]

KEY = "pcsk_benchmark"
_HEADERS = {"Api-Key": KEY, "X-Pinecone-Api-Version": "2026-04", "Accept": "application/json"}
Walk = Callable[[], Awaitable[list[str]]]
Contender = Callable[[str], contextlib.AbstractAsyncContextManager[Walk]]


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
async def _raw(base_url: str) -> AsyncGenerator[Walk, None]:
    async with aiohttp.ClientSession() as session:

        async def walk() -> list[str]:
            return [row["backup_id"] async for rows in raw_pages(session, base_url) for row in rows]

        yield walk


@contextlib.asynccontextmanager
async def _ours(base_url: str) -> AsyncGenerator[Walk, None]:
    async with BackupsClient(KEY, base_url=base_url) as client:

        async def walk() -> list[str]:
            return [backup.backup_id async for backup in client.list_backups()]

        yield walk


@contextlib.asynccontextmanager
async def _official(base_url: str) -> AsyncGenerator[Walk, None]:
    """The official asyncio client lists one page a call, so the walk follows the tokens itself."""
    async with AsyncPinecone(api_key=KEY, host=base_url) as client:

        async def walk() -> list[str]:
            ids: list[str] = []
            token: str | None = None
            while True:
                page = await client.backups.list(limit=ROWS, pagination_token=token)
                ids.extend(backup.backup_id for backup in page)
                if page.pagination is None:
                    return ids
                token = page.pagination.next

        yield walk


CONTENDERS: dict[str, Contender] = {
    "raw": _raw,
    "ours": _ours,
    "official": _official,
    "control": _raw,
}
