"""A project and the example application that serves it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from pinecone_backups_async.testing import FakePinecone
from tests.support.services import example_app, serving


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[FakePinecone]:
    async with FakePinecone(backups=250) as project:
        for name, value in project.environ.items():
            monkeypatch.setenv(name, value)
        yield project


@pytest.fixture
async def service(fake: FakePinecone) -> AsyncGenerator[str]:
    async with serving(example_app()) as (url, _):
        yield url
