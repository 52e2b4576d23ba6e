"""The example application, served for real: uvicorn on a loopback port, against a FakePinecone."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import pytest
import uvicorn
from fastapi import FastAPI

from pinecone_backups_async.testing import FakePinecone

EXAMPLE = Path(__file__).parents[2] / "docs/examples/service.py"


def load_example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_service", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncGenerator[tuple[str, uvicorn.Server]]:
    """Serve an application in this event loop; yields its URL and the server."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", lifespan="on", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listener]))
    while not server.started:
        assert not task.done(), task.exception()
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", server
    finally:
        server.should_exit = True
        await task
        listener.close()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[FakePinecone]:
    async with FakePinecone(backups=250) as project:
        for name, value in project.environ.items():
            monkeypatch.setenv(name, value)
        yield project


@pytest.fixture
async def service(fake: FakePinecone) -> AsyncGenerator[str]:
    async with serving(load_example().app) as (url, _):
        yield url
