"""The pytest plugin: one fixture. Knows pytest; the server is FakePinecone's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from . import FakePinecone

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["fake_pinecone"]


@pytest.fixture
def fake_pinecone() -> Iterator[FakePinecone]:
    """Run a FakePinecone with 250 backups for one test. It runs in a thread, so any kind of test can use it."""
    with FakePinecone(backups=250) as fake:
        yield fake
