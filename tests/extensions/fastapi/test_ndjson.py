"""The streamed response: complete and saying so, or aborted; ended as soon as the client disconnects."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import aiohttp
import anyio
import attrs
import httpx
import pytest
from fastapi import FastAPI
from starlette.background import BackgroundTask
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from pinecone_backups_async import BackupsClient, NotFoundError, TransportTimeoutError, WaitTimeoutError
from pinecone_backups_async.fastapi import BackupsDep, NdjsonResponse, backups_ndjson, install_error_handlers, lifespan
from pinecone_backups_async.testing import Answer, FakePinecone
from tests.support.services import get, open_descriptors, serving, speaking, stall_later_pages, until

WHOLE = '{"end": true, "count": 250}'
VERSIONS = ["2.3", "2.4"]


class PassOn(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)


async def in_asyncio_time(call: Coroutine[Any, Any, None]) -> None:
    await asyncio.wait_for(call, 0.2)


async def in_anyio_time(call: Coroutine[Any, Any, None]) -> None:
    with anyio.fail_after(0.2):
        await call


STACKS: dict[str, list[Any]] = {
    "nothing": [],
    "base": [PassOn],
    "gzip in base": [GZipMiddleware, PassOn],
    "base in gzip": [PassOn, GZipMiddleware],
}


def listing(client: BackupsClient) -> NdjsonResponse:
    return backups_ndjson(client.list_backups())


def handler(make: Callable[[BackupsClient], Response]) -> Callable[..., Any]:
    async def stream(client: BackupsDep) -> Response:
        return make(client)

    return stream


def application(*makes: Callable[[BackupsClient], Response], stack: str = "nothing") -> FastAPI:
    """Return an application with streams at /0, /1 and so on, behind middlewares, the innermost first."""
    app = FastAPI(lifespan=lifespan())
    install_error_handlers(app)
    for middleware in STACKS[stack]:
        app.add_middleware(middleware)
    for number, make in enumerate(makes or [listing]):
        app.add_api_route(f"/{number}", handler(make), methods=["GET", "HEAD"])
    return app


def failing(error: BaseException | None, *, lines: int = 1) -> Callable[[BackupsClient], Response]:
    """Return what makes a stream that ends with an error after some lines, or with None, never."""

    async def content() -> AsyncIterator[bytes]:
        for _ in range(lines):
            yield b'{"a": 1}\n' * 100
        if error is not None:
            raise error
        await asyncio.sleep(30)

    return lambda _: NdjsonResponse(content())


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_complete_stream_says_so(fake: FakePinecone, stack: str, version: str) -> None:
    async with serving(speaking(version, application(stack=stack))) as (url, _):
        for encoding in ("gzip", "identity"):
            response = await get(f"{url}/0", headers={"Accept-Encoding": encoding})
            *rows, last = response.text.splitlines()
            assert response.headers["content-type"] == "application/x-ndjson"
            assert [json.loads(row) for row in rows] == [backup.to_dict() for backup in fake.backups]
            assert last == WHOLE


async def test_empty_pages(service: str, fake: FakePinecone) -> None:
    fake.play(Answer(body={"data": [], "pagination": {"next": "c2tpcD0wMDAwMDAwMCZzaXplPTEwMA=="}}))
    assert (await get(f"{service}/backups.ndjson")).text.splitlines()[-1] == WHOLE
    fake.play(Answer(body={"data": []}))
    assert (await get(f"{service}/backups.ndjson")).text == '{"end": true, "count": 0}\n'


async def test_head_fetches_nothing(fake: FakePinecone) -> None:
    done = asyncio.Event()

    def with_a_task(client: BackupsClient) -> Response:
        response = listing(client)
        response.background = BackgroundTask(done.set)
        return response

    async with serving(application(with_a_task)) as (url, _), httpx.AsyncClient() as http:
        response = await http.head(f"{url}/0")
        await until(done.is_set)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/x-ndjson")
    assert fake.requests == []


AT_ONCE = {NotFoundError(status=404): 502, TransportTimeoutError(): 504, WaitTimeoutError(): 504}
LATER = [
    NotFoundError(status=404),
    TransportTimeoutError(),
    OSError("disk"),
    RecursionError(),
    asyncio.CancelledError(),
]


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("version", VERSIONS)
async def test_errors(fake: FakePinecone, caplog: pytest.LogCaptureFixture, stack: str, version: str) -> None:
    """Before the first byte an error is answered. Later, whatever ends the stream, the receiver's client raises."""
    makes = [failing(error, lines=0) for error in AT_ONCE] + [failing(error) for error in LATER]
    async with serving(speaking(version, application(*makes, stack=stack))) as (url, _):
        answers = [await get(f"{url}/{number}") for number in range(len(AT_ONCE))]
        for number in range(len(AT_ONCE), len(makes)):
            for encoding in ("gzip", "identity"):
                with pytest.raises(httpx.RemoteProtocolError):
                    await get(f"{url}/{number}", headers={"Accept-Encoding": encoding})
    assert [answer.status_code for answer in answers] == list(AT_ONCE.values())
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    aborted = [record for record in caplog.records if record.getMessage().startswith("aborted a stream")]
    assert [vars(record)["pinecone_error"] for record in aborted[::2]] == [type(error).__name__ for error in LATER]


@pytest.mark.parametrize("limited", [in_asyncio_time, in_anyio_time])
async def test_a_time_limit_of_a_middleware_aborts(fake: FakePinecone, limited: Callable[..., Any]) -> None:
    inner = application(failing(None))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        call = inner(scope, receive, send)
        await (limited(call) if scope["type"] == "http" else call)

    async with serving(PassOn(app)) as (url, _):
        with pytest.raises(httpx.RemoteProtocolError):
            await get(f"{url}/0")


async def test_a_page_that_fails_aborts(service: str, fake: FakePinecone) -> None:
    fake.play(None, Answer.error(404, "NOT_FOUND", "Gone."))
    with pytest.raises(httpx.RemoteProtocolError):
        await get(f"{service}/backups.ndjson")


async def test_without_a_server_the_error_is_raised(fake: FakePinecone) -> None:
    response = failing(NotFoundError(status=404))(BackupsClient())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(response), base_url="http://service") as http:
        with pytest.raises(NotFoundError):
            await http.get("/")


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_disconnect_ends_the_listing(fake: FakePinecone, stack: str, version: str) -> None:
    """The request to the backups service that was under way ends, and no other follows."""
    stall_later_pages(fake)
    async with serving(speaking(version, application(stack=stack))) as (url, _), aiohttp.ClientSession() as http:
        await get(f"{url}/openapi.json")
        descriptors, tasks = open_descriptors(), len(asyncio.all_tasks())
        # Not compressed: a compressor may keep what it has until there is more.
        headers = {"Accept-Encoding": "identity"}
        responses = await asyncio.gather(*(http.get(f"{url}/0", headers=headers) for _ in range(10)))
        await asyncio.gather(*(response.content.readline() for response in responses))
        await until(lambda: len(fake.requests) == 2 * 10)  # each listing waits for its second page
        assert open_descriptors() > descriptors + 2 * 10
        for response in responses:
            response.close()
        await until(lambda: open_descriptors() <= descriptors and len(asyncio.all_tasks()) <= tasks)
    assert len(fake.requests) == 2 * 10


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_disconnect_before_the_first_page(fake: FakePinecone, version: str) -> None:
    fake.delay = 30
    async with serving(speaking(version, application())) as (url, _), aiohttp.ClientSession() as http:
        await get(f"{url}/openapi.json")
        descriptors = open_descriptors()
        with pytest.raises(TimeoutError):
            await http.get(f"{url}/0", timeout=aiohttp.ClientTimeout(total=0.3))
        await until(lambda: open_descriptors() <= descriptors)
    assert len(fake.requests) == 1


class Lines(AsyncIterator[bytes]):
    async def __anext__(self) -> bytes:
        return b'{"a": 1}'


@pytest.mark.parametrize("disconnected", [True, False])
async def test_a_send_that_raises_oserror(disconnected: bool) -> None:
    """It is a disconnect only if the server says so; then the background task runs, as after a complete response."""
    done, types = asyncio.Event(), list[str]()
    closed = asyncio.Event()

    async def receive() -> Message:
        await closed.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        types.append(message["type"])
        if message["type"] == "http.response.body":
            if disconnected:
                closed.set()
            raise BrokenPipeError

    response = NdjsonResponse(Lines())
    response.background = BackgroundTask(done.set)
    if disconnected:
        await response({"type": "http", "method": "GET"}, receive, send)
    else:
        with pytest.raises(BrokenPipeError):
            await response({"type": "http", "method": "GET"}, receive, send)
    assert done.is_set() is disconnected
    assert types[2:] == ([] if disconnected else ["http.response.pathsend"])


async def test_a_slow_receiver_holds_the_listing_back(fake: FakePinecone) -> None:
    app = application(lambda client: backups_ndjson(client.list_backups(limit=1)))
    async with aiohttp.ClientSession() as http, serving(app) as (url, _):
        fake.add(*(attrs.evolve(backup, description="long " * 20_000) for backup in fake.backups))
        response = await http.get(f"{url}/0")
        seen = -1
        while seen < len(fake.requests):
            seen = len(fake.requests)
            await asyncio.sleep(0.5)
        assert seen < 250
        assert (await response.text()).splitlines()[-1] == WHOLE


async def test_shutdown_lets_a_stream_finish(fake: FakePinecone) -> None:
    fake.delay = 0.1
    async with aiohttp.ClientSession() as http, serving(application()) as (url, server):
        response = await http.get(f"{url}/0")
        server.should_exit = True
        assert (await response.text()).splitlines()[-1] == WHOLE


async def test_shutdown_aborts_a_stream_after_a_while(fake: FakePinecone) -> None:
    stall_later_pages(fake)
    async with aiohttp.ClientSession() as http:
        async with serving(application()) as (url, server):
            response = await http.get(f"{url}/0")
            await until(lambda: len(fake.requests) == 2)
            server.should_exit = True
        with pytest.raises(aiohttp.ClientError):
            await response.read()
        response.close()
