"""The pytest plugin: one fixture. Knows pytest; the server is FakePinecone's."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

import pytest

from . import FakePinecone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["fake_pinecone"]

# pytest-asyncio in its strict mode runs only fixtures that are marked as its own; without it anyio runs plain ones.
_fixtures: Any = importlib.import_module("pytest_asyncio") if importlib.util.find_spec("pytest_asyncio") else pytest


@_fixtures.fixture  # type: ignore[untyped-decorator]
async def fake_pinecone() -> AsyncIterator[FakePinecone]:
    """Run a FakePinecone with a project of 250 backups for the time of one test."""
    async with FakePinecone(backups=250) as fake:
        yield fake
