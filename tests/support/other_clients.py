"""The official client on the same listing, for comparison: one call is one page, and the tokens are the caller's."""

from __future__ import annotations

from typing import Any

import pinecone

from tests.support.fault_server import FaultServer
from tests.support.guard import CANARY


async def official(server: FaultServer) -> list[str]:
    make: Any = pinecone.AsyncPinecone  # pyright: ignore[reportUnknownMemberType]
    async with make(api_key=CANARY, host=server.url, timeout=0.25) as client:
        names: list[str] = []
        arguments: dict[str, Any] = {"limit": server.page_size}
        while arguments:
            page = await client.backups.list(**arguments)
            names += [backup.backup_id for backup in page]
            token = page.pagination.next if page.pagination is not None else None
            arguments = {"pagination_token": token} if token else {}
        return names
