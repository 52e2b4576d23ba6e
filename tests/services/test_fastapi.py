"""The FastAPI module: which answer each error becomes, and what happens where the lifespan or the extra is missing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

import pinecone_backups_async as door
from pinecone_backups_async.fastapi import BackupsDep, install_error_handlers, lifespan, request_client

from .conftest import serving

KEY = "pcsk_key-of-the-fastapi-tests"


async def answer_to(error: Exception, *, callers_key: bool = False) -> httpx.Response:
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/")
    async def fail(request: Request) -> None:
        if callers_key:
            async with request_client(request, KEY):
                raise error
        raise error

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
        return await http.get("/")


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (door.RateLimitError("slow", status=429, retry_after=1.2), 503, "2"),
        (door.RateLimitError("slow", status=429, retry_after=float("inf")), 503, None),
        (door.RateLimitError("slow", status=429), 503, None),
        (door.RateLimitError("full", status=429, code="QUOTA_EXCEEDED", retry_after=5), 502, None),
        (door.TransportTimeoutError("late"), 504, None),
        (door.TransportError("reset"), 502, None),
        (door.TLSError("untrusted"), 502, None),
        (door.ServiceError("down", status=503, retry_after=5), 502, None),
        (door.ApiError("odd", status=418), 502, None),
        (door.UnexpectedRedirectError("away", status=302), 502, None),
        (door.UnauthorizedError("refused", status=401), 502, None),
        (door.ForbiddenError("refused", status=403), 502, None),
        (door.InvalidRequestError("bad token", status=400), 422, None),
        (door.ConfigurationError("limit must be an int from 1 to 100"), 422, None),
        (door.ResponseParsingError("no page"), 502, None),
        (door.IncompleteListingError("churn"), 502, None),
        (door.ClientClosedError("closed"), 503, None),
    ],
)
async def test_the_answer_to_each_error(error: Exception, status: int, retry_after: str | None) -> None:
    answer = await answer_to(error)
    problem = answer.json()
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry_after)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["status"], problem["error"]) == (status, type(error).__name__)
    assert ("detail" in problem) == (status == 422)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (door.UnauthorizedError("refused", status=401), 401),
        (door.ForbiddenError("refused", status=403), 401),
        (door.ConfigurationError("api_key must have 1 to 512 characters"), 401),
        (door.ConfigurationError("limit must be an int"), 422),
        (door.ServiceError("down", status=500), 502),
    ],
)
async def test_a_refused_key_that_came_with_the_request_is_the_callers(error: Exception, status: int) -> None:
    answer = await answer_to(error, callers_key=True)
    assert answer.status_code == status
    assert KEY not in answer.text


async def test_the_lifespan_keeps_the_applications_own_and_closes_the_client() -> None:
    seen: dict[str, Any] = {}

    @asynccontextmanager
    async def own(_: FastAPI) -> AsyncGenerator[Mapping[str, Any]]:
        yield {"mine": 5}
        seen["ended"] = True

    app = FastAPI(lifespan=lifespan(lambda: door.BackupsClient(KEY, base_url="http://127.0.0.1:1"), own))

    @app.get("/")
    async def show(request: Request, client: BackupsDep) -> int:
        seen["client"] = client
        return int(request.state.mine)

    async with serving(app) as (url, _), httpx.AsyncClient() as http:
        assert (await http.get(url)).json() == 5
    assert seen["ended"]
    with pytest.raises(door.ClientClosedError):
        await seen["client"].fetch_page()


async def test_an_own_lifespan_that_yields_nothing_will_do() -> None:
    @asynccontextmanager
    async def own(_: FastAPI) -> AsyncGenerator[None]:
        yield

    async with lifespan(lambda: door.BackupsClient(KEY), own)(FastAPI()) as state:
        (client,) = state.values()
        assert isinstance(client, door.BackupsClient)


async def test_without_the_lifespan_the_dependency_says_so() -> None:
    app = FastAPI()

    @app.get("/")
    async def show(client: BackupsDep) -> str:
        return repr(client)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as http:
        with pytest.raises(RuntimeError, match=r"FastAPI\(lifespan=lifespan\(\)\)"):
            await http.get("/")


def test_without_the_extra_the_import_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastapi", None)
    monkeypatch.delitem(sys.modules, "pinecone_backups_async.fastapi")
    with pytest.raises(ImportError, match=r"pip install 'pinecone-backups-async\[fastapi\]'"):
        importlib.import_module("pinecone_backups_async.fastapi")
