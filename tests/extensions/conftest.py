"""The project that the tests of the command and of FastAPI use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pinecone_backups_async.testing import FakePinecone


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePinecone]:
    """Serve 250 backups from a thread, where the environment points clients."""
    with FakePinecone(250) as fake:
        for name, value in fake.environ.items():
            monkeypatch.setenv(name, value)
        yield fake
