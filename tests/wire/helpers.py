"""What the tests of faults share: a client with the canary key that does not wait, and the ids of what it lists."""

from __future__ import annotations

from typing import Any

from pinecone_backups_async import BackupsClient, RetryPolicy

from .guard import CANARY
from .server import FaultServer

AT_ONCE = RetryPolicy(random=lambda: 0.0)


def client_of(server: FaultServer, **settings: Any) -> BackupsClient:
    settings.setdefault("retry", AT_ONCE)
    return BackupsClient(CANARY, base_url=server.url, **settings)


async def listed(client: BackupsClient, **settings: Any) -> list[str]:
    return [backup.backup_id async for backup in client.list_backups(**settings)]


def connections_held(client: BackupsClient) -> int:
    """Return how many connections a client's connector holds for requests."""
    sessions = client._session._sessions  # pyright: ignore[reportPrivateUsage]
    if sessions is None or sessions.pooled.connector is None:
        return 0
    return len(sessions.pooled.connector._acquired)  # pyright: ignore[reportPrivateUsage]
