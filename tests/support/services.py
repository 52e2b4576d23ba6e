"""Applications served for real: uvicorn on a loopback port."""

from __future__ import annotations

import asyncio
import runpy
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from pinecone_backups_async.testing import FakePinecone, RecordedRequest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/examples/service.py"


def example_app() -> FastAPI:
    """Return the application of the documentation, made anew."""
    app: FastAPI = runpy.run_path(str(EXAMPLE))["app"]
    return app


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncGenerator[tuple[str, uvicorn.Server]]:
    """Serve an application in this event loop; yields its URL and the server."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", lifespan="on", timeout_graceful_shutdown=1, loop="none")
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


def http_client(app: ASGIApp | None = None, **settings: Any) -> httpx.AsyncClient:
    """Return a client, of an application if one is given; it reads no certificates, which would take long."""
    arguments: dict[str, Any] = {"verify": False, "timeout": 20, **settings}
    if app is not None:
        arguments |= {"transport": httpx.ASGITransport(app), "base_url": "http://service"}
    return httpx.AsyncClient(**arguments)


async def get(url: str) -> httpx.Response:
    async with http_client() as http:
        return await http.get(url)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so, for at most twenty seconds."""
    for _ in range(4000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise TimeoutError


def stall_later_pages(fake: FakePinecone) -> None:
    """Answer first pages at once, and every later page after half a minute, which no test waits for."""

    def choose(request: RecordedRequest) -> None:
        fake.delay = 30.0 if "paginationToken" in request.query else 0.0

    fake.before_answer = choose


async def sent_to_websocket(app: ASGIApp, **scope: Any) -> list[Any]:
    """Connect a websocket, disconnect it when the application reads; return what the application sent."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.disconnect" if sent else "websocket.connect", "code": 1001}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "websocket", "path": "/", "headers": [], "query_string": b"", **scope}, receive, send)
    return sent
