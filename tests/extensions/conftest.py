"""The projects that several of these tests use."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator

import pytest

from pinecone_backups_async.testing import FakePinecone
from tests.support.raw_request import NOW, backup


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePinecone]:
    """Serve 250 backups from a thread, where the environment points clients."""
    with FakePinecone(250) as served:
        for name, value in served.environ.items():
            monkeypatch.setenv(name, value)
        yield served


@pytest.fixture
async def fake() -> AsyncGenerator[FakePinecone]:
    """Serve four backups of one index, a day apart, of which the second failed; it is always NOW."""
    rows = [backup("a"), backup("b", 1, status="Failed"), backup("c", 2), backup("d", 3)]
    async with FakePinecone(rows, now=NOW) as served:
        yield served
