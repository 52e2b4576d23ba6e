"""What the tests of faults share: a client with the canary key that does not wait, and the ids of what it lists."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from anyio.from_thread import start_blocking_portal

from pinecone_backups_async import BackupsClient, RetryPolicy
from tests.support.fault_server import FaultServer, fault_server
from tests.support.guard import CANARY

AT_ONCE = RetryPolicy(random=lambda: 0.0)


def eager(**settings: Any) -> RetryPolicy:
    """Return a policy that neither waits nor runs out of retries."""
    return RetryPolicy(random=lambda: 0.0, quota=10**9, **settings)


def client_of(server: FaultServer, key: str = CANARY, **settings: Any) -> BackupsClient:
    settings.setdefault("retry", AT_ONCE)
    return BackupsClient(key, base_url=server.url, **settings)


async def listed(client: BackupsClient, **settings: Any) -> list[str]:
    return [backup.backup_id async for backup in client.list_backups(**settings)]


def connections_held(client: BackupsClient) -> int:
    """Return how many connections a client's connector holds for requests."""
    sessions = client._session._sessions  # pyright: ignore[reportPrivateUsage]
    if sessions is None or sessions.pooled.connector is None:
        return 0
    return len(sessions.pooled.connector._acquired)  # pyright: ignore[reportPrivateUsage]


@contextmanager
def in_a_thread(**settings: Any) -> Generator[FaultServer]:
    """Run a server in a thread with an event loop of its own, for tests that run loops or fork."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(fault_server(**settings)) as server:
        yield server
