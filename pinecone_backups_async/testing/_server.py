"""The server: HTTP in, answers out. Knows connections, the script and the threads; the rest is in `_routes`."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from typing import TYPE_CHECKING, Final, Self

import attrs
from aiohttp import web

from ._messages import Answer, RecordedRequest
from ._project import Project
from ._routes import respond
from ._thread import LoopThread

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from pinecone_backups_async import Backup, Index

__all__ = ["FakePinecone"]

DEFAULT_KEY: Final = "pcsk_fake_key_for_tests"
_SECONDS_TO_FINISH: Final = 0.1


class FakePinecone(Project):
    """A local server that serves the backup endpoints of the Pinecone API from memory, on a free loopback port.

    With `async with` it runs in this event loop. With `with` it runs in a thread, for code that runs its own loops:
    `asyncio.run`, FastAPI's TestClient, another process. Entering raises OSError if `port` is taken, RuntimeError if
    the server already runs.

    The arguments:

    - `backups`: how many realistic backups to make (see `sample_backups`), or the backups themselves.
    - `indexes`: indexes without a backup, by name or as `Index` values. Those of the backups are there anyway.
    - `api_key`: the key that is accepted.
    - `now`: the time at the service, an aware datetime; None is the present. The backups' ages count from it.
    - `delay`: how many seconds each response takes that is not scripted.
    - `before_answer`: called with each recorded request before it takes effect, and awaited if it is a coroutine.
      What it raises is answered with 500, and raised again when the server ends.
    - `port`: the port; 0 takes a free one.

    The attributes. Each but `requests` may be set at any time, and applies to what is created from then on:

    - `requests`: the recorded requests so far.
    - `indexes`: the indexes by name. What is removed is deleted: its backups remain and say so.
    - `now`, `delay`, `before_answer`, `api_key`: as above.
    - `looks_until_ready`: at which look a created backup is finished: 1, the first, by default. A look is a request
      that describes it, or the first page of a listing. With 0 it is finished when it is created.
    - `backup_outcome`: the status that a created backup ends with, `Ready` by default.
    - `looks_until_restored`, `restore_outcome`: the same for restore jobs; `Completed` by default.
    - `lag`: how many looks do not find a new backup or restore job, and still find a deleted backup.
    - `max_backups`: how many backups the project may have; more are refused with 403. None is no limit.
    - `payment_required`: whether what is created is refused with 402.
    - `odd_restore_listing`: whether pages of restore jobs overlap and the last one is missing.
    """

    def __init__(
        self,
        backups: int | Iterable[Backup] = (),
        *,
        indexes: Iterable[str | Index] = (),
        api_key: str = DEFAULT_KEY,
        now: dt.datetime | None = None,
        delay: float = 0.0,
        before_answer: Callable[[RecordedRequest], object] | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(backups, indexes, now)
        self.api_key = api_key
        self.delay = delay
        self.before_answer = before_answer
        self.requests: list[RecordedRequest] = []
        self._script: deque[Answer | None] = deque()
        self._port = port
        self._runner: web.ServerRunner | None = None
        self._thread: LoopThread | None = None
        self._failure: BaseException | None = None

    def __repr__(self) -> str:
        where = "not running" if self._runner is None else self.url
        return f"<FakePinecone: {len(self.backups)} backups, {where}>"

    @property
    def url(self) -> str:
        """Return the base URL, as `base_url` takes it. Raises RuntimeError if the server does not run."""
        if self._runner is None:
            raise RuntimeError("FakePinecone has an address only inside `async with`")
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment variables that point a client here, by name."""
        return {"PINECONE_CONTROLLER_HOST": self.url, "PINECONE_API_KEY": self.api_key}

    def play(self, *answers: Answer | None) -> None:
        """Answer the next requests with these, whatever they ask for, and then normally again; None is a normal answer.

        A scripted answer replaces what the request does. Only one made by `Answer.lost` lets it take effect.
        """
        self._script.extend(answers)

    async def __aenter__(self) -> Self:
        if self._runner is not None:
            raise RuntimeError("this FakePinecone runs already")
        # A handler ends with its connection, so a delay that nobody waits for any more is not waited for here either.
        server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=_SECONDS_TO_FINISH)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stop()
        self._raise_failure(exc)

    async def _stop(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def _raise_failure(self, exc: BaseException | None) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure from exc

    def __enter__(self) -> Self:
        thread = LoopThread()
        try:
            thread.run(self.__aenter__())
        except BaseException:
            thread.close()
            raise
        self._thread = thread
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.run(self._stop())
            thread.close()
        self._raise_failure(exc)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        seen = RecordedRequest(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers=request.headers,
            body=await request.read(),
        )
        self.requests.append(seen)
        number = len(self.requests)
        await self._prepare(seen)
        answer = self._answer(request.rel_url.raw_path, seen)
        await asyncio.sleep(answer.delay)
        payload = answer.payload()
        if answer.dropped or (answer.cut and not payload):
            return _drop(request)
        headers = {"X-Pinecone-Request-Id": f"fake-{number}"}
        if payload:
            headers["Content-Type"] = "application/json"
        response = web.Response(status=answer.status, body=payload, headers=headers)
        response.headers.update(answer.headers)
        return await _cut(request, response, payload) if answer.cut else response

    async def _prepare(self, request: RecordedRequest) -> None:
        if self.before_answer is None:
            return
        try:
            outcome = self.before_answer(request)
            if inspect.isawaitable(outcome):
                await outcome
        except Exception as failure:
            self._failure = failure
            raise

    def _answer(self, raw_path: str, request: RecordedRequest) -> Answer:
        scripted = self._script.popleft() if self._script else None
        if scripted is not None and not scripted.takes_effect:
            return scripted
        answer = respond(self, self.api_key, raw_path, request)
        if scripted is None:
            return attrs.evolve(answer, delay=self.delay)
        if scripted.cut:
            return attrs.evolve(answer, delay=scripted.delay, cut=True)
        return scripted


def _drop(request: web.BaseRequest) -> web.StreamResponse:
    """Close the connection; the response that is returned reaches nobody."""
    request.protocol.force_close()
    return web.Response()


async def _cut(request: web.BaseRequest, response: web.Response, payload: bytes) -> web.StreamResponse:
    """Send the head and the first half of the body, then close the connection."""
    half = web.StreamResponse(status=response.status, headers=response.headers)
    half.content_length = len(payload)
    await half.prepare(request)
    await half.write(payload[: len(payload) // 2])
    request.protocol.force_close()
    return half
