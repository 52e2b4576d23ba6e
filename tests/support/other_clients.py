"""Two other ways to walk the same listing, for comparison: what one writes oneself, and the official client."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pinecone
from tenacity import retry, stop_after_attempt, wait_none

from tests.support.fault_server import FaultServer
from tests.support.guard import CANARY


async def plain(server: FaultServer) -> list[str]:
    """Walk with aiohttp and tenacity, the way it is usually written."""

    @retry(stop=stop_after_attempt(4), wait=wait_none(), reraise=True)
    async def fetch(session: aiohttp.ClientSession, query: dict[str, str]) -> dict[str, Any]:
        async with session.get(f"{server.url}/backups", params=query) as response:
            response.raise_for_status()
            found: dict[str, Any] = json.loads(await response.text() or "{}")
            return found

    headers = {"Api-Key": CANARY, "X-Pinecone-Api-Version": "2026-04"}
    timeout = aiohttp.ClientTimeout(total=0.25)
    seen: list[str] = []
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        query = {"limit": str(server.page_size)}
        while True:
            page = await fetch(session, query)
            seen += [row["backup_id"] for row in page.get("data", [])]
            pagination: dict[str, str] = page.get("pagination") or {}
            token = pagination.get("next")
            if not token:
                return seen
            query = {"paginationToken": token}


async def official_pages(url: str, page_size: int, *, key: str = CANARY, **settings: Any) -> list[list[str]]:
    """Walk with the official client, page by page: it has no walk of its own over a project's backups."""
    client: Any = pinecone.AsyncPinecone(api_key=key, host=url, **settings)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    async with client:
        pages: list[list[str]] = []
        arguments: dict[str, Any] = {"limit": page_size}
        while arguments:
            page = await client.backups.list(**arguments)
            pages.append([backup.backup_id for backup in page])
            token = page.pagination.next if page.pagination is not None else None
            arguments = {"pagination_token": token} if token else {}
        return pages


async def official(server: FaultServer) -> list[str]:
    return [name for page in await official_pages(server.url, server.page_size, timeout=0.25) for name in page]
