"""The official client on the same listing, for comparison: one call is one page, and the tokens are the caller's."""

from __future__ import annotations

from typing import Any

import pinecone

from tests.support.fault_server import FaultServer
from tests.support.guard import CANARY


async def official_pages(url: str, page_size: int, *, key: str = CANARY, **settings: Any) -> list[list[str]]:
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
