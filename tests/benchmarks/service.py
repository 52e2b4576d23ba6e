"""A service that streams a listing as NDJSON, through FastAPI and uvicorn: with this package, and with the least."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import aiohttp
import orjson
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from pinecone_backups_async import BackupsClient
from pinecone_backups_async.fastapi import BackupsDep, NdjsonResponse, backups_ndjson, lifespan

from .contenders import KEY, raw_pages

__all__ = ["cpu_of_streams"]

_ROUNDS = 7
# Reads each stream to its end and prints its number of lines.
_RECEIVER = """
import sys, urllib.request
for line in sys.stdin:
    print(urllib.request.urlopen(line.strip()).read().count(b"\\n"), flush=True)
"""


def _app(base_url: str) -> FastAPI:
    @contextlib.asynccontextmanager
    async def session(_: FastAPI) -> AsyncGenerator[Mapping[str, Any]]:
        async with aiohttp.ClientSession() as opened:
            yield {"session": opened}

    app = FastAPI(lifespan=lifespan(lambda: BackupsClient(KEY, base_url=base_url), then=session))

    @app.get("/ours", response_class=NdjsonResponse)
    async def ours(client: BackupsDep) -> NdjsonResponse:
        return backups_ndjson(client.list_backups())

    @app.get("/raw")
    async def raw(request: Request) -> StreamingResponse:
        async def lines() -> AsyncGenerator[bytes, None]:
            async for rows in raw_pages(request.state.session, base_url):
                yield b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    return app


async def cpu_of_streams(base_url: str) -> list[float]:
    """Return the ratios of this process's CPU, ours to raw and raw to raw, of each round: ours first, then control."""
    server = uvicorn.Server(uvicorn.Config(_app(base_url), port=0, log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    receiver = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _RECEIVER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert receiver.stdin is not None
    assert receiver.stdout is not None

    async def cost(path: str) -> float:
        began = time.process_time()
        receiver.stdin.write(f"{url}/{path}\n".encode())  # type: ignore[union-attr]
        await receiver.stdout.readline()  # type: ignore[union-attr]
        return time.process_time() - began

    found: list[list[float]] = [[await cost(path) for path in ("raw", "ours", "raw")] for _ in range(_ROUNDS + 1)][1:]
    receiver.stdin.close()
    server.should_exit = True
    await serving
    await receiver.wait()
    return [ours / raw for raw, ours, _ in found] + [control / raw for raw, _, control in found]
