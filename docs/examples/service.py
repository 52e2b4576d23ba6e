"""A service that answers which backups exist: one page, all of them as a stream, and how well each index is covered.

    python docs/examples/service.py

With PINECONE_API_KEY it asks the service that the environment names; without, a demonstration project in this process.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

import aiohttp
import uvicorn
from fastapi import FastAPI, Header, Query, Request
from fastapi.responses import StreamingResponse

from pinecone_backups_async import BackupsClient
from pinecone_backups_async.coverage import assess
from pinecone_backups_async.fastapi import (
    BackupPageModel,
    BackupsDep,
    backups_ndjson,
    install_error_handlers,
    lifespan,
    request_client,
)
from pinecone_backups_async.testing import FakePinecone


@asynccontextmanager
async def shared_connections(app: FastAPI) -> AsyncGenerator[Mapping[str, Any]]:
    """Keep one connector for the clients of all tenants."""
    async with aiohttp.TCPConnector(limit=50) as connector:
        yield {"connector": connector}


app = FastAPI(title="Backups", lifespan=lifespan(inner=shared_connections))
install_error_handlers(app)


@app.get("/backups", response_model=BackupPageModel)
async def one_page(
    client: BackupsDep, limit: Annotated[int, Query(ge=1, le=100)] = 100, token: str | None = None
) -> dict[str, Any]:
    """Return one page; its `pagination.next` is the `token` of the next."""
    return (await client.fetch_page(limit=limit, pagination_token=token)).to_dict()


@app.get("/backups.ndjson")
async def every_backup(client: BackupsDep) -> StreamingResponse:
    """Stream every backup as a line of JSON; the last line says that it is complete."""
    return await backups_ndjson(client.list_backups())


@app.get("/coverage")
async def coverage(client: BackupsDep, max_age_hours: Annotated[float, Query(gt=0, le=10_000)] = 26) -> dict[str, str]:
    """Say how each index is covered."""
    report = assess(await client.inventory(), max_age=dt.timedelta(hours=max_age_hours))
    return {index.source_index_name: index.state for index in report.living}


@app.get("/tenant/backups", response_model=BackupPageModel)
async def tenants_page(request: Request, api_key: Annotated[str | None, Header()] = None) -> dict[str, Any]:
    """Return the first page of the project whose key came with this request, over the shared connections."""
    async with request_client(request, api_key, connector=request.state.connector) as client:
        return (await client.fetch_page()).to_dict()


@asynccontextmanager
async def demonstration(app: FastAPI) -> AsyncGenerator[Mapping[str, Any]]:
    """Serve a demonstration project beside the application, and point its client there."""
    async with FakePinecone(backups=250) as fake:

        def make_client() -> BackupsClient:
            return BackupsClient(fake.api_key, base_url=fake.url, additional_headers={})

        async with lifespan(make_client, shared_connections)(app) as state:
            yield state


if __name__ == "__main__":
    if "PINECONE_API_KEY" not in os.environ:
        app.router.lifespan_context = demonstration
    uvicorn.run(app, port=int(os.environ.get("PORT", "8000")))
