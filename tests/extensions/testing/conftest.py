"""The project that most of these tests use."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from pinecone_backups_async.testing import FakePinecone
from tests.support.raw_request import NOW, backup


@pytest.fixture
async def fake() -> AsyncGenerator[FakePinecone]:
    """Serve four backups of one index, a day apart, of which the second failed; it is always NOW."""
    rows = [backup("a"), backup("b", 1, status="Failed"), backup("c", 2), backup("d", 3)]
    async with FakePinecone(rows, now=NOW) as project:
        yield project
