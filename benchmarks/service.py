"""A service that streams a listing as NDJSON, through FastAPI and uvicorn: with this package, and with the least.

Run as a module with the URL of a listing it opens a loopback port, prints it, and serves `/ours` and `/raw`.
"""

from __future__ import annotations

import contextlib
import socket
import sys
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


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(_app(sys.argv[1]), log_level="error")).run([listening])
