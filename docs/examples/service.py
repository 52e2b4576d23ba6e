"""A service for the backups of a project: pages, all backups as a stream, how well each index is covered, a new backup.

    python docs/examples/service.py

The API key comes from PINECONE_API_KEY. Without one, or with `--demo`, the service shows a made-up project that it
serves itself, and prints that it does. If you run it with uvicorn, as `service:app`, it needs a key to start.
PORT is the port, 8000 by default.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from typing import Annotated, Any

import aiohttp
import uvicorn
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.security import APIKeyHeader

from pinecone_backups_async import BackupsClient
from pinecone_backups_async.coverage import assess
from pinecone_backups_async.fastapi import (
    BackupModel,
    BackupPageModel,
    BackupsDep,
    NdjsonResponse,
    backups_ndjson,
    install_error_handlers,
    lifespan,
    problem_responses,
    request_client,
)
from pinecone_backups_async.testing import FakePinecone


@contextlib.asynccontextmanager
async def shared_connections(app: FastAPI) -> AsyncGenerator[Mapping[str, Any]]:
    """Keep one connector for the clients of all tenants: the application's own lifespan."""
    async with aiohttp.TCPConnector(limit=50) as connector:
        yield {"connector": connector}


app = FastAPI(title="Backups", lifespan=lifespan(then=shared_connections), responses=problem_responses)
install_error_handlers(app)


Limit = Annotated[int, Query(ge=1, le=100)]
Token = Annotated[str | None, Query(min_length=1)]


@app.get("/backups")
async def one_page(client: BackupsDep, limit: Limit = 100, token: Token = None) -> BackupPageModel:
    """Return one page; its `pagination.next` is the `token` of the next."""
    return await client.fetch_page(limit=limit, pagination_token=token)


@app.get("/backups/{backup_id}")
async def one_backup(client: BackupsDep, backup_id: str) -> BackupModel:
    """Return one backup. Ask again until its `status` is Ready; that takes minutes to hours."""
    return await client.describe_backup(backup_id)


@app.post("/indexes/{index_name}/backups", status_code=202)
async def start_backup(
    client: BackupsDep, request: Request, response: Response, index_name: str, name: str | None = None
) -> BackupModel:
    """Start a backup and return at once. `Location` is where to look how far it is.

    If the answer is a problem with `outcome_unknown`, the backup may exist: look before you repeat the request.
    """
    backup = await client.create_backup(index_name, name=name)
    response.headers["Location"] = str(request.url_for("one_backup", backup_id=backup.backup_id))
    return backup


@app.get("/backups.ndjson", response_class=NdjsonResponse)
async def every_backup(client: BackupsDep) -> NdjsonResponse:
    """Stream every backup as a line of JSON. The last line says that the stream is complete."""
    return backups_ndjson(client.list_backups())


@app.get("/coverage")
async def coverage(client: BackupsDep, max_age_hours: Annotated[float, Query(ge=1, le=10_000)] = 26) -> dict[str, str]:
    """Return how each index is covered."""
    report = assess(await client.inventory(), max_age=dt.timedelta(hours=max_age_hours))
    return {index.source_index_name: index.state for index in report.living}


async def client_of_tenant(
    request: Request, api_key: Annotated[str | None, Depends(APIKeyHeader(name="Api-Key", auto_error=False))]
) -> AsyncGenerator[BackupsClient]:
    """Make a client for the key of this request, over the shared connections. It is closed after the response."""
    async with request_client(request, api_key, connector=request.state.connector) as client:
        yield client


TenantDep = Annotated[BackupsClient, Depends(client_of_tenant)]


@app.get("/tenant/backups")
async def tenants_page(client: TenantDep, limit: Limit = 100, token: Token = None) -> BackupPageModel:
    """Return one page of the project whose key came with this request."""
    return await client.fetch_page(limit=limit, pagination_token=token)


@app.get("/tenant/backups.ndjson", response_class=NdjsonResponse)
async def tenants_backups(client: TenantDep) -> NdjsonResponse:
    """Stream every backup of the project whose key came with this request."""
    return backups_ndjson(client.list_backups())


async def serve() -> None:
    """Serve the application on loopback until it is stopped."""
    await uvicorn.Server(uvicorn.Config(app, port=int(os.environ.get("PORT", "8000")))).serve()


async def demo() -> None:
    """Serve a made-up project beside the application, and let all of its clients use it."""
    async with FakePinecone(backups=250) as fake:
        os.environ.update(fake.environ)
        print("A demonstration: the backups shown here are made up.", file=sys.stderr)
        await serve()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        made_up = "--demo" in sys.argv[1:] or "PINECONE_API_KEY" not in os.environ
        asyncio.run(demo() if made_up else serve())
