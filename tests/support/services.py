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
from starlette.types import ASGIApp, Receive, Scope, Send

from pinecone_backups_async.testing import FakePinecone, RecordedRequest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/examples/service.py"


def example_app() -> FastAPI:
    """Return the application of the documentation, made anew."""
    app: FastAPI = runpy.run_path(str(EXAMPLE))["app"]
    return app


def speaking(version: str, app: ASGIApp) -> ASGIApp:
    """Return the application under another version of ASGI: frameworks look at nothing but this number."""

    async def speak(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "asgi": {**scope["asgi"], "spec_version": version}}, receive, send)

    return speak


@asynccontextmanager
async def serving(app: ASGIApp, seconds_to_finish: int = 1) -> AsyncGenerator[tuple[str, uvicorn.Server]]:
    """Serve an application in this event loop; yields its URL and the server."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_level="critical", lifespan="on", timeout_graceful_shutdown=seconds_to_finish, loop="none"
    )
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


async def get(url: str, **settings: Any) -> httpx.Response:
    async with httpx.AsyncClient(timeout=20) as http:
        return await http.get(url, **settings)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so, for at most five seconds."""
    for _ in range(1000):
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
