"""A FakePinecone in a thread with an event loop of its own, for tests that run loops, processes or commands themselves."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager

from anyio.from_thread import start_blocking_portal

from pinecone_backups_async import Backup
from pinecone_backups_async.testing import FakePinecone


@contextmanager
def served(backups: int | Iterable[Backup] = 250) -> Generator[FakePinecone]:
    """Serve a project until the block ends."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(FakePinecone(backups=backups)) as fake:
        yield fake
