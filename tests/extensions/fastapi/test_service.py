"""The example application under uvicorn, driven by a real HTTP client: what it answers, and that nothing leaks."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import attrs
import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import Response, StreamingResponse
from starlette.middleware.base import RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request

from pinecone_backups_async import Backup, BackupsClient, NotFoundError
from pinecone_backups_async.fastapi import BackupsDep, backups_ndjson, install_error_handlers, lifespan
from pinecone_backups_async.testing import Answer, FakePinecone

from .conftest import load_example, open_descriptors, serving, stall_later_pages, until

DOWN = Answer.error(404, "NOT_FOUND", "Gone.")
WHOLE = {"end": True, "count": 250}


async def get(url: str, **settings: Any) -> httpx.Response:
    async with httpx.AsyncClient(timeout=20) as http:
        return await http.get(url, **settings)


def last_line(response: httpx.Response) -> Any:
    return json.loads(response.text.splitlines()[-1])


async def test_a_page_goes_out_as_it_is_with_its_token(service: str, fake: FakePinecone) -> None:
    first = (await get(f"{service}/backups?limit=100")).json()
    assert first["data"] == [backup.to_dict() for backup in fake.backups[:100]]
    second = (await get(f"{service}/backups", params={"token": first["pagination"]["next"]})).json()
    assert [row["backup_id"] for row in second["data"]] == [backup.backup_id for backup in fake.backups[100:200]]


async def test_a_bad_argument_is_the_callers(service: str) -> None:
    for query in ("limit=0", "limit=101", "token=", "token=malformed"):
        response = await get(f"{service}/backups?{query}")
        assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")


async def test_the_stream_is_whole_and_says_so(service: str, fake: FakePinecone) -> None:
    response = await get(f"{service}/backups.ndjson")
    rows = [json.loads(line) for line in response.text.splitlines()]
    assert response.headers["content-type"] == "application/x-ndjson"
    assert rows[:-1] == [backup.to_dict() for backup in fake.backups]
    assert rows[-1] == WHOLE


async def test_an_empty_page_ends_no_stream(service: str, fake: FakePinecone) -> None:
    empty = Answer(body={"data": [], "pagination": {"next": "c2tpcD0wMDAwMDAwMCZzaXplPTEwMA=="}})
    fake.play(empty)
    assert last_line(await get(f"{service}/backups.ndjson")) == WHOLE


async def test_a_stream_of_nothing_is_whole_too(service: str, fake: FakePinecone) -> None:
    fake.play(Answer(body={"data": []}))
    assert json.loads((await get(f"{service}/backups.ndjson")).text) == {"end": True, "count": 0}


async def test_a_stream_that_fails_on_its_way_is_aborted(service: str, fake: FakePinecone) -> None:
    fake.play(None, DOWN)
    with pytest.raises(httpx.RemoteProtocolError):
        await get(f"{service}/backups.ndjson")


async def test_a_stream_that_fails_at_once_is_an_honest_answer(service: str, fake: FakePinecone) -> None:
    fake.play(DOWN)
    response = await get(f"{service}/backups.ndjson")
    assert (response.status_code, response.headers["content-type"]) == (502, "application/problem+json")


def behind_middlewares() -> FastAPI:
    """Return an application whose streams pass what often stands in front of a handler."""
    app = FastAPI(lifespan=lifespan())
    install_error_handlers(app)
    app.add_middleware(GZipMiddleware)

    @app.middleware("http")
    async def pass_on(request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)

    @app.get("/")
    async def stream(client: BackupsDep) -> StreamingResponse:
        return backups_ndjson(client.list_backups())

    return app


async def test_middlewares_do_not_make_a_failed_stream_look_whole(
    fake: FakePinecone, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(behind_middlewares()) as (url, _):
        assert last_line(await get(url)) == WHOLE
        fake.play(None, DOWN)
        with pytest.raises(httpx.RemoteProtocolError):
            await get(url)
    logged = next(found for found in caplog.records if found.name == "pinecone_backups_async" and found.levelno > 10)
    assert (logged.levelname, logged.getMessage()) == ("WARNING", "aborted a stream: NotFoundError")


async def test_middlewares_do_not_keep_a_walk_alive_whose_receiver_hung_up(fake: FakePinecone) -> None:
    stall_later_pages(fake)
    async with serving(behind_middlewares()) as (url, _), aiohttp.ClientSession() as http:
        await get(f"{url}/openapi.json")
        descriptors = open_descriptors()
        # Not compressed: the compressor may keep what it has until there is more.
        response = await http.get(url, headers={"Accept-Encoding": "identity"})
        await response.content.readany()
        await until(lambda: len(fake.requests) == 2)
        response.close()
        await until(lambda: open_descriptors() <= descriptors)


async def test_where_no_server_stands_between_the_failure_itself_is_raised(fake: FakePinecone) -> None:
    app = FastAPI()

    @app.get("/")
    async def stream() -> StreamingResponse:
        return backups_ndjson(client.list_backups())

    fake.play(None, DOWN)
    transport = httpx.ASGITransport(app)
    async with BackupsClient() as client, httpx.AsyncClient(transport=transport, base_url="http://service") as http:
        with pytest.raises(NotFoundError):
            await http.get("/")


async def test_coverage(service: str, fake: FakePinecone) -> None:
    assert (await get(f"{service}/coverage")).json().keys() == {b.source_index_name for b in fake.backups}


async def test_a_tenants_own_key_gets_pages_and_whole_streams(service: str, fake: FakePinecone) -> None:
    headers = {"api-key": fake.api_key}
    assert len((await get(f"{service}/tenant/backups?limit=7", headers=headers)).json()["data"]) == 7
    assert last_line(await get(f"{service}/tenant/backups.ndjson", headers=headers)) == WHOLE


async def test_a_tenant_whose_key_is_refused_gets_401(service: str) -> None:
    refused: list[dict[str, str]] = [{"api-key": "another-key"}, {"api-key": "no key"}, {"api-key": ""}, {}]
    for headers in refused:
        for path in ("/tenant/backups", "/tenant/backups.ndjson"):
            response = await get(service + path, headers=headers)
            assert (response.status_code, response.json()["status"]) == (401, 401)


async def test_50_tenants_at_once_share_connections(service: str, fake: FakePinecone) -> None:
    fake.delay = 0.02
    async with httpx.AsyncClient(timeout=30, headers={"api-key": fake.api_key}) as http:
        before = open_descriptors()
        for _ in range(2):
            answers = await asyncio.gather(*(http.get(f"{service}/tenant/backups?limit=1") for _ in range(50)))
            assert {answer.status_code for answer in answers} == {200}
        # Two descriptors for each connection to this service, two for each from it to the project: 50 are the limit.
        assert open_descriptors() <= before + 2 * 50 + 2 * 50


async def test_200_handlers_at_once_share_one_client(service: str, fake: FakePinecone) -> None:
    async def handled(http: aiohttp.ClientSession) -> tuple[int, int]:
        async with http.get(f"{service}/backups?limit=5") as response:
            return response.status, len((await response.json())["data"])

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200)) as http:
        assert await asyncio.gather(*(handled(http) for _ in range(200))) == [(200, 5)] * 200
    assert len(fake.requests) == 200


async def test_L9_40_streaming_clients_that_hang_up_end_their_walks(service: str, fake: FakePinecone) -> None:
    await get(f"{service}/backups?limit=1")
    stall_later_pages(fake)
    descriptors, tasks = open_descriptors(), len(asyncio.all_tasks())
    async with aiohttp.ClientSession() as http:
        responses = await asyncio.gather(*(http.get(f"{service}/backups.ndjson") for _ in range(40)))
        await asyncio.gather(*(response.content.readline() for response in responses))
        await until(lambda: len(fake.requests) == 1 + 2 * 40)  # every walk waits for its second page
        assert open_descriptors() > descriptors + 2 * 40
        for response in responses:
            response.close()
    await asyncio.sleep(0.3)
    assert len(fake.requests) == 1 + 2 * 40
    assert open_descriptors() <= descriptors
    assert len(asyncio.all_tasks()) <= tasks


async def test_L9_who_hangs_up_before_the_first_page_leaves_no_request(service: str, fake: FakePinecone) -> None:
    await get(f"{service}/backups?limit=1")
    fake.delay = 30
    descriptors = open_descriptors()
    async with aiohttp.ClientSession() as http:
        with pytest.raises(TimeoutError):
            await http.get(f"{service}/backups.ndjson", timeout=aiohttp.ClientTimeout(total=0.3))
    await until(lambda: open_descriptors() <= descriptors)
    assert len(fake.requests) == 2


async def test_a_stream_behind_middlewares_that_fails_at_once_is_an_honest_answer(fake: FakePinecone) -> None:
    async with serving(behind_middlewares()) as (url, _):
        fake.play(DOWN)
        response = await get(url)
    assert (response.status_code, response.json()["error"]) == (502, "NotFoundError")


async def test_a_tenant_who_hangs_up_leaves_nothing(service: str, fake: FakePinecone) -> None:
    stall_later_pages(fake)
    descriptors = open_descriptors()
    async with aiohttp.ClientSession(headers={"api-key": fake.api_key}) as http:
        response = await http.get(f"{service}/tenant/backups.ndjson")
        await response.content.readline()
        await until(lambda: len(fake.requests) == 2)
        response.close()
    await until(lambda: open_descriptors() <= descriptors)


def long_ones(fake: FakePinecone) -> list[Backup]:
    return [attrs.evolve(backup, description="long " * 20_000) for backup in fake.backups]


async def test_a_receiver_that_does_not_read_holds_the_walk_back(fake: FakePinecone) -> None:
    app = FastAPI()

    @app.get("/")
    async def stream() -> StreamingResponse:
        return backups_ndjson(client.list_backups(limit=1))

    async with BackupsClient() as client, aiohttp.ClientSession() as http:
        async with serving(app) as (url, _):
            fake.add(*long_ones(fake))
            response = await http.get(url)
            await asyncio.sleep(0.3)
            seen = len(fake.requests)
            await asyncio.sleep(0.2)
            assert len(fake.requests) == seen < 250
            lines = (await response.text()).splitlines()
    assert json.loads(lines[-1]) == WHOLE


async def test_shutdown_lets_a_walk_finish_that_has_the_time(fake: FakePinecone) -> None:
    fake.delay = 0.1
    async with aiohttp.ClientSession() as http, serving(load_example().app) as (url, server):
        response = await http.get(f"{url}/backups.ndjson")
        server.should_exit = True
        lines = (await response.text()).splitlines()
    assert json.loads(lines[-1]) == WHOLE


async def test_shutdown_aborts_a_walk_that_takes_too_long(fake: FakePinecone) -> None:
    stall_later_pages(fake)
    async with aiohttp.ClientSession() as http:
        async with serving(load_example().app) as (url, server):
            response = await http.get(f"{url}/backups.ndjson")
            await response.content.readline()
            await until(lambda: len(fake.requests) == 2)
            server.should_exit = True
        with pytest.raises(aiohttp.ClientError):
            await response.read()
        response.close()
