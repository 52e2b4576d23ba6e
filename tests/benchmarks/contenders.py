"""Who is compared: four ways to list a project's backups, each a client that stays open and a walk over every page.

Each walk asks for the same pages on one kept connection and returns every backup's id, so that all do the same work and
a wrong answer is seen. Knows the clients' public names alone; of ours also the codec, one part of what a page costs.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import aiohttp
import attrs
import orjson
import tenacity
from cattrs.preconf.orjson import make_converter
from pinecone import AsyncPinecone

from pinecone_backups_async import BackupsClient, _decode

from .payloads import ROWS, token

__all__ = [
    "Contender",
    "Walk",
    "get_alone",
    "get_and_decode",
    "official",
    "one_call_a_page",
    "ours",
    "ours_by_page",
    "plain",
    "raw",
]

_KEY = "pcsk_benchmark"
_HEADERS = {"Api-Key": _KEY, "X-Pinecone-Api-Version": "2026-04", "Accept": "application/json"}

Walk = Callable[[], Awaitable[list[str]]]
Contender = Callable[[str], contextlib.AbstractAsyncContextManager[Walk]]


def _query(page_token: str | None) -> dict[str, str]:
    return {"limit": str(ROWS)} if page_token is None else {"paginationToken": page_token}


@contextlib.asynccontextmanager
async def raw(base_url: str) -> AsyncGenerator[Walk, None]:
    """Open the least that lists the backups: aiohttp, orjson, a loop. No model, no retry, no check."""
    async with aiohttp.ClientSession(headers=_HEADERS) as session:

        async def walk() -> list[str]:
            ids: list[str] = []
            page_token: str | None = None
            while True:
                async with session.get(f"{base_url}/backups", params=_query(page_token)) as response:
                    page = orjson.loads(await response.read())
                ids.extend(backup["backup_id"] for backup in page["data"])
                if not page["pagination"]:
                    return ids
                page_token = page["pagination"]["next"]

        yield walk


@attrs.frozen
class _Field:
    filterable: bool | None = None
    type: str | None = None
    dimension: int | None = None
    metric: str | None = None


@attrs.frozen
class _Schema:
    fields: dict[str, _Field]


@attrs.frozen
class _Backup:
    backup_id: str
    source_index_name: str
    source_index_id: str
    status: str
    cloud: str
    region: str
    name: str | None = None
    description: str | None = None
    dimension: int | None = None
    metric: str | None = None
    schema: _Schema | None = None
    record_count: int | None = None
    namespace_count: int | None = None
    size_bytes: int | None = None
    tags: dict[str, Any] | None = None
    created_at: dt.datetime | None = None


@attrs.frozen
class _Pagination:
    next: str


@attrs.frozen
class _Page:
    data: list[_Backup]
    pagination: _Pagination | None = None


@contextlib.asynccontextmanager
async def plain(base_url: str) -> AsyncGenerator[Walk, None]:
    """Open what one writes in an afternoon: aiohttp, cattrs as it comes, tenacity's decorator."""
    converter = make_converter()
    async with aiohttp.ClientSession(headers=_HEADERS) as session:

        @tenacity.retry(stop=tenacity.stop_after_attempt(4), wait=tenacity.wait_random_exponential(max=8))
        async def fetch(page_token: str | None) -> _Page:
            async with session.get(f"{base_url}/backups", params=_query(page_token)) as response:
                response.raise_for_status()
                return converter.loads(await response.read(), _Page)

        async def walk() -> list[str]:
            ids: list[str] = []
            page_token: str | None = None
            while True:
                page = await fetch(page_token)
                ids.extend(backup.backup_id for backup in page.data)
                if page.pagination is None:
                    return ids
                page_token = page.pagination.next

        yield walk


@contextlib.asynccontextmanager
async def official(base_url: str) -> AsyncGenerator[Walk, None]:
    """Open the official asyncio client. It lists one page a call, so the walk follows the tokens itself."""
    async with AsyncPinecone(api_key=_KEY, host=base_url) as client:

        async def walk() -> list[str]:
            ids: list[str] = []
            page_token: str | None = None
            while True:
                page = await client.backups.list(limit=ROWS, pagination_token=page_token)
                ids.extend(backup.backup_id for backup in page)
                if page.pagination is None:
                    return ids
                page_token = page.pagination.next

        yield walk


@contextlib.asynccontextmanager
async def ours(base_url: str) -> AsyncGenerator[Walk, None]:
    """Open this package's client, walked backup by backup."""
    async with BackupsClient(_KEY, base_url=base_url) as client:

        async def walk() -> list[str]:
            return [backup.backup_id async for backup in client.list_backups()]

        yield walk


@contextlib.asynccontextmanager
async def ours_by_page(base_url: str) -> AsyncGenerator[Walk, None]:
    """Open this package's client, walked page by page."""
    async with BackupsClient(_KEY, base_url=base_url) as client:

        async def walk() -> list[str]:
            return [backup.backup_id async for page in client.list_backups().pages() for backup in page.data]

        yield walk


@contextlib.asynccontextmanager
async def get_alone(base_url: str, pages: int) -> AsyncGenerator[Walk, None]:
    """Open a part of the cost: the same requests, nothing decoded. Its walk returns no ids."""
    async with aiohttp.ClientSession(headers=_HEADERS) as session:

        async def walk() -> list[str]:
            for number in range(pages):
                query = _query(None if number == 0 else token(number))
                async with session.get(f"{base_url}/backups", params=query) as response:
                    await response.read()
            return []

        yield walk


@contextlib.asynccontextmanager
async def get_and_decode(base_url: str) -> AsyncGenerator[Walk, None]:
    """Open a part of the cost: the raw loop with our codec in the place of orjson."""
    async with aiohttp.ClientSession(headers=_HEADERS) as session:

        async def walk() -> list[str]:
            ids: list[str] = []
            page_token: str | None = None
            while True:
                async with session.get(f"{base_url}/backups", params=_query(page_token)) as response:
                    page = _decode.decode_page(await response.read())
                ids.extend(backup.backup_id for backup in page.data)
                if page.next_token is None:
                    return ids
                page_token = page.next_token

        yield walk


@contextlib.asynccontextmanager
async def one_call_a_page(base_url: str) -> AsyncGenerator[Walk, None]:
    """Open a part of the cost: `fetch_page` called for each token, so everything but the pager."""
    async with BackupsClient(_KEY, base_url=base_url) as client:

        async def walk() -> list[str]:
            ids: list[str] = []
            page_token: str | None = None
            while True:
                page = await client.fetch_page(pagination_token=page_token)
                ids.extend(backup.backup_id for backup in page.data)
                if page.next_token is None:
                    return ids
                page_token = page.next_token

        yield walk
