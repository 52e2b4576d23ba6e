"""The streamed response: complete and saying so, or aborted; ended as soon as the client disconnects."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from itertools import product
from typing import Any

import aiohttp
import anyio
import attrs
import httpx
import pytest
from fastapi import FastAPI
from starlette.background import BackgroundTask
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pinecone_backups_async import BackupsClient, NotFoundError, TransportTimeoutError, WaitTimeoutError
from pinecone_backups_async.fastapi import BackupsDep, NdjsonResponse, backups_ndjson, install_error_handlers, lifespan
from pinecone_backups_async.testing import Answer, FakePinecone
from tests.support.services import example_app, get, http_client, open_descriptors, serving, stall_later_pages, until

WHOLE = '{"end": true, "count": 250}'
PASS_ON: Any = partial(BaseHTTPMiddleware, dispatch=lambda request, call_next: call_next(request))
STACKS: dict[str, list[Any]] = {
    "nothing": [], "base": [PASS_ON],
    "gzip in base": [GZipMiddleware, PASS_ON], "base in gzip": [PASS_ON, GZipMiddleware],
}  # fmt: skip
EVERYWHERE = pytest.mark.parametrize(("version", "stack"), list(product(["2.3", "2.4"], STACKS)))
Make = Callable[[BackupsClient], Response]


def listing(client: BackupsClient, limit: int | None = None) -> NdjsonResponse:
    return backups_ndjson(client.list_backups(limit=limit))


def failing(error: BaseException | None, *, lines: int = 1) -> Make:
    """Return what makes a stream that ends with an error after some lines, or with None, never."""

    async def content() -> AsyncIterator[bytes]:
        for _ in range(lines):
            yield b'{"a": 1}\n' * 100
        if error is not None:
            raise error
        await asyncio.sleep(30)

    return lambda _: NdjsonResponse(content())


@asynccontextmanager
async def served(*makes: Make, version: str = "2.3", middlewares: list[Any] = STACKS["nothing"]) -> AsyncGenerator[str]:
    """Serve streams at /0, /1 and so on, under a version of ASGI, behind middlewares, the innermost first."""
    app = FastAPI(lifespan=lifespan())
    install_error_handlers(app)
    for middleware in middlewares:
        app.add_middleware(middleware)

    @app.api_route("/{number}", methods=["GET", "HEAD"])
    async def stream(client: BackupsDep, number: int) -> Response:
        return makes[number](client)

    async def speak(scope: Scope, receive: Receive, send: Send) -> None:  # frameworks look at nothing but this number
        await app({**scope, "asgi": {**scope["asgi"], "spec_version": version}}, receive, send)

    async with serving(speak) as (url, _):
        yield url


AT_ONCE = {NotFoundError(status=404): 502, TransportTimeoutError(): 504, WaitTimeoutError(): 504}
LATER = NotFoundError(status=404), TransportTimeoutError(), OSError(), RecursionError(), asyncio.CancelledError()


@EVERYWHERE
async def test_a_stream_is_complete_or_fails(
    project: FakePinecone, caplog: pytest.LogCaptureFixture, version: str, stack: str
) -> None:
    """A complete one says so; an error at once is answered; whatever ends it later, the receiver's client raises."""
    makes = [listing, *(failing(error, lines=0) for error in AT_ONCE), *map(failing, LATER)]
    async with served(*makes, version=version, middlewares=STACKS[stack]) as url:
        for encoding in "gzip", "identity":
            async with http_client(base_url=url, headers={"Accept-Encoding": encoding}) as http:
                tasks = [asyncio.create_task(http.get(f"/{number}")) for number in range(len(makes))]
                await asyncio.wait(tasks)
            assert {type(task.exception()) for task in tasks[-len(LATER) :]} == {httpx.RemoteProtocolError}
            whole, *answers = [task.result() for task in tasks[: -len(LATER)]]
            *rows, last = whole.text.splitlines()
            assert (whole.headers["content-type"], last) == ("application/x-ndjson", WHOLE)
            assert [json.loads(row) for row in rows] == [backup.to_dict() for backup in project.backups]
            assert [answer.status_code for answer in answers] == list(AT_ONCE.values())
            assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    aborted = [vars(record)["pinecone_error"] for record in caplog.records if "aborted" in record.getMessage()]
    assert sorted(aborted) == sorted([type(error).__name__ for error in LATER] * 2)


async def test_pages_that_are_empty(project: FakePinecone) -> None:
    async with served(listing) as url:
        project.play(Answer(body={"data": [], "pagination": {"next": "c2tpcD0wMDAwMDAwMCZzaXplPTEwMA=="}}))
        assert (await get(f"{url}/0")).text.splitlines()[-1] == WHOLE
        project.play(Answer(body={"data": []}))
        assert (await get(f"{url}/0")).text == '{"end": true, "count": 0}\n'


async def test_head_fetches_nothing(project: FakePinecone) -> None:
    done = asyncio.Event()

    def with_a_task(client: BackupsClient) -> Response:
        response = listing(client)
        response.background = BackgroundTask(done.set)
        return response

    async with served(with_a_task) as url, http_client() as http:
        response = await http.head(f"{url}/0")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/x-ndjson")
    assert (project.requests, done.is_set()) == ([], True)


async def test_a_time_limit_of_a_middleware_aborts(project: FakePinecone) -> None:
    def limit(app: ASGIApp) -> ASGIApp:
        async def limited(scope: Scope, receive: Receive, send: Send) -> None:
            with anyio.fail_after(0.2):
                await app(scope, receive, send)

        return limited

    async with served(failing(None), middlewares=[limit, PASS_ON]) as url:
        with pytest.raises(httpx.RemoteProtocolError):
            await get(f"{url}/0")


async def test_without_a_server_the_error_is_raised(project: FakePinecone) -> None:
    response = failing(NotFoundError(status=404))(BackupsClient())
    async with http_client(response) as http:
        with pytest.raises(NotFoundError):
            await http.get("/")


@EVERYWHERE
async def test_L9_a_disconnect_ends_the_listing(project: FakePinecone, version: str, stack: str) -> None:
    """The request to the backups service that was under way ends, and no other follows."""
    stall_later_pages(project)
    # Not compressed: a compressor may keep what it has until there is more.
    http = aiohttp.ClientSession(headers={"Accept-Encoding": "identity"})
    async with served(listing, version=version, middlewares=STACKS[stack]) as url, http:
        await get(f"{url}/openapi.json")
        descriptors, tasks = open_descriptors(), len(asyncio.all_tasks())
        responses = await asyncio.gather(*(http.get(f"{url}/0") for _ in range(10)))
        await asyncio.gather(*(response.content.readline() for response in responses))
        await until(lambda: len(project.requests) == 2 * 10)  # each listing waits for its second page
        assert open_descriptors() > descriptors + 2 * 10
        for response in responses:
            response.close()
        await until(lambda: open_descriptors() <= descriptors and len(asyncio.all_tasks()) <= tasks)
    assert len(project.requests) == 2 * 10


async def test_a_disconnect_before_the_first_page(project: FakePinecone) -> None:
    project.delay = 30
    async with served(listing, version="2.4") as url, http_client(timeout=0.3) as http:
        await get(f"{url}/openapi.json")
        descriptors = open_descriptors()
        with pytest.raises(httpx.ReadTimeout):
            await http.get(f"{url}/0")
        await until(lambda: open_descriptors() <= descriptors)
    assert len(project.requests) == 1


class Lines(AsyncIterator[bytes]):
    async def __anext__(self) -> bytes:
        return b'{"a": 1}'


@pytest.mark.parametrize("disconnected", [True, False])
async def test_a_send_that_raises_oserror(disconnected: bool) -> None:
    """It is a disconnect only if the server says so; then the background task runs, as after a complete response."""
    done, closed, types = asyncio.Event(), asyncio.Event(), list[str]()

    async def receive() -> Message:
        await closed.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        types.append(message["type"])
        if message["type"] == "http.response.body":
            if disconnected:
                closed.set()
            raise BrokenPipeError

    response = NdjsonResponse(Lines(), background=BackgroundTask(done.set))
    with nullcontext() if disconnected else pytest.raises(BrokenPipeError):
        await response({"type": "http", "method": "GET"}, receive, send)
    assert done.is_set() is disconnected
    assert types[2:] == ([] if disconnected else ["http.response.pathsend"])


@pytest.mark.soak
async def test_a_slow_receiver_holds_the_listing_back(project: FakePinecone) -> None:
    project.add(*(attrs.evolve(backup, description="long " * 20_000) for backup in project.backups))
    async with aiohttp.ClientSession() as http, served(partial(listing, limit=1)) as url:
        response = await http.get(f"{url}/0")
        seen = -1
        while seen < len(project.requests):
            seen = len(project.requests)
            await asyncio.sleep(0.5)
        assert seen < 250
        assert (await response.text()).splitlines()[-1] == WHOLE


async def test_shutdown_lets_a_stream_finish(project: FakePinecone) -> None:
    project.delay = 0.1
    async with aiohttp.ClientSession() as http, serving(example_app()) as (url, server):
        response = await http.get(f"{url}/backups.ndjson")
        server.should_exit = True
        assert (await response.text()).splitlines()[-1] == WHOLE


@pytest.mark.soak
async def test_shutdown_aborts_a_stream_after_a_while(project: FakePinecone) -> None:
    stall_later_pages(project)
    async with aiohttp.ClientSession() as http:
        async with serving(example_app()) as (url, server):
            response = await http.get(f"{url}/backups.ndjson")
            await response.content.readline()
            await until(lambda: len(project.requests) == 2)
            server.should_exit = True
        with pytest.raises(aiohttp.ClientError):
            await response.read()
        response.close()
