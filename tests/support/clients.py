"""Clients with the canary as their key that do not wait, what they list, and how a listing fails."""

from __future__ import annotations

import socket
import weakref
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any, Self

import aiohttp
import pytest
from aiohttp.connector import Connection
from anyio.from_thread import start_blocking_portal

from pinecone_backups_async import BackupsClient, BackupsError, RetryPolicy
from pinecone_backups_async.testing import FakePinecone
from tests.support.fault_server import Behaviour, FaultServer, fault_server
from tests.support.guard import CANARY

AT_ONCE = RetryPolicy(random=lambda: 0.0)


def eager(**settings: Any) -> RetryPolicy:
    """Return a policy that neither waits nor runs out of retries."""
    return RetryPolicy(random=lambda: 0.0, quota=10**9, **settings)


def client_of(server: FaultServer | FakePinecone, key: str | None = None, **settings: Any) -> BackupsClient:
    """Return a client of a server, with the server's own key or the canary."""
    settings = {"retry": AT_ONCE, "base_url": server.url, **settings}
    return BackupsClient(key or getattr(server, "api_key", CANARY), **settings)


async def listed(client: BackupsClient, **settings: Any) -> list[str]:
    return [backup.backup_id async for backup in client.list_backups(**settings)]


async def listed_until_error(client: BackupsClient, **settings: Any) -> tuple[list[str], Any]:
    """List what must end in an error; return what came before it, and the error."""
    seen: list[str] = []
    with pytest.raises(BackupsError) as caught:
        async for backup in client.list_backups(**settings):
            seen.append(backup.backup_id)  # noqa: PERF401 - what came before the error is the point
    return seen, caught.value


async def whole(script: Iterable[Behaviour], *, backups: int = 3, **settings: Any) -> FaultServer:
    """List against a script; the list must be the exact one. Return the server, which knows the requests."""
    async with fault_server(script, backups=backups) as server, client_of(server, **settings) as client:
        assert await listed(client) == server.ids
    return server


async def failure(
    script: Iterable[Behaviour], *, backups: int = 3, tls: SSLContext | None = None, **settings: Any
) -> tuple[Any, FaultServer]:
    """List against a script that must end in an error; return the error and the server."""
    async with fault_server(script, backups=backups, tls=tls) as server, client_of(server, **settings) as client:
        _, error = await listed_until_error(client)
    return error, server


async def failed_at(url: str, **settings: Any) -> Any:
    """Return the error of a page of a server that is no FaultServer."""
    settings = {"base_url": url, "retry": AT_ONCE, **settings}
    async with BackupsClient(CANARY, **settings) as client:
        with pytest.raises(BackupsError) as caught:
            await client.fetch_page()
    return caught.value


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class WatchedConnector(aiohttp.TCPConnector):
    """A connector that knows how many of its connections are in use."""

    def __init__(self) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self._given = weakref.WeakSet[Connection]()

    async def __aenter__(self) -> Self:
        return self

    async def connect(self, *args: Any, **settings: Any) -> Connection:
        connection = await super().connect(*args, **settings)
        self._given.add(connection)
        return connection

    @property
    def in_use(self) -> int:
        return sum(not connection.closed for connection in self._given)


@contextmanager
def in_a_thread(**settings: Any) -> Generator[FaultServer]:
    """Run a server in a thread with an event loop of its own, for tests that run loops or fork."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(fault_server(**settings)) as server:
        yield server
