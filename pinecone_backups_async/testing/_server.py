"""The server: HTTP in, answers out. Knows statuses, headers and the script; knows nothing of who asks."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from typing import TYPE_CHECKING, Final, Self

import attrs
from aiohttp import web

from ._data import sample_backups
from ._listing import MAX_LIMIT, Listing, Window
from ._messages import Answer, RecordedRequest
from ._thread import LoopThread

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from pinecone_backups_async import Backup

__all__ = ["FakePinecone"]

DEFAULT_KEY: Final = "pcsk_fake_key_for_tests"
# By API version: how many backups a page has where neither a limit nor a token is given.
_DEFAULT_LIMITS: Final = {"2026-04": 10, "2026-07": 100}
_SECONDS_TO_FINISH: Final = 0.1
_MOST_DIGITS: Final = 10


class FakePinecone:
    """Serve `GET /backups` on a free loopback port, the way the service does.

    With `async with` it runs in this event loop. With `with` it runs in a thread, for code that runs loops of its own:
    `asyncio.run`, FastAPI's TestClient, another process.

    `backups` is how many realistic ones to make (see `sample_backups`; their ages count from `now`), or the backups
    themselves. `api_key` is the key that is accepted. `delay` is how many seconds each answer takes that is not
    scripted. `before_answer` is called with each recorded request before its answer is made, and awaited where it is a
    coroutine: the place to add and delete backups while somebody lists them. What it raises is answered with 500, and
    raised again at the end. `requests` are the requests seen so far. `delay` and `before_answer` may be changed at any
    time. Raises OSError on entering where `port` is taken, RuntimeError where the server runs already.
    """

    def __init__(
        self,
        backups: int | Iterable[Backup] = (),
        *,
        api_key: str = DEFAULT_KEY,
        now: dt.datetime | None = None,
        delay: float = 0.0,
        before_answer: Callable[[RecordedRequest], object] | None = None,
        port: int = 0,
    ) -> None:
        self.api_key = api_key
        self.delay = delay
        self.before_answer = before_answer
        self.requests: list[RecordedRequest] = []
        self._listing = Listing(sample_backups(backups, now=now) if isinstance(backups, int) else backups)
        self._script: deque[Answer | None] = deque()
        self._port = port
        self._runner: web.ServerRunner | None = None
        self._thread: LoopThread | None = None
        self._failure: BaseException | None = None

    @property
    def url(self) -> str:
        """Return the base URL, as `base_url` takes it. Raises RuntimeError where the server does not run."""
        if self._runner is None:
            raise RuntimeError("FakePinecone has an address only inside `async with`")
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment variables that point a client here, by name."""
        return {"PINECONE_CONTROLLER_HOST": self.url, "PINECONE_API_KEY": self.api_key}

    @property
    def backups(self) -> tuple[Backup, ...]:
        """Return the backups of the project as they are now, newest first."""
        return self._listing.backups

    def add(self, *backups: Backup) -> None:
        """Add backups; one whose `backup_id` is there already takes the place of its former self.

        They are listed by `created_at`, newest first: equals in front of those that were there before, and one without
        it behind all that have it.
        """
        self._listing.add(backups)

    def delete(self, backup_id: str) -> None:
        """Delete a backup. Raises KeyError where there is none of that id."""
        self._listing.delete(backup_id)

    def play(self, *answers: Answer | None) -> None:
        """Give the next requests these answers, whatever they ask, then go on normally; None is a normal answer."""
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

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        seen = RecordedRequest(
            method=request.method, path=request.path, query=dict(request.query), headers=request.headers
        )
        self.requests.append(seen)
        number = len(self.requests)
        await self._prepare(seen)
        scripted = self._script.popleft() if self._script else None
        answer = attrs.evolve(self._answer(seen), delay=self.delay) if scripted is None else scripted
        await asyncio.sleep(answer.delay)
        headers = {"Content-Type": "application/json", "X-Pinecone-Request-Id": f"fake-{number}"}
        response = web.Response(status=answer.status, body=answer.payload(), headers=headers)
        response.headers.update(answer.headers)
        return response

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

    def _answer(self, request: RecordedRequest) -> Answer:
        if (request.method, request.path) != ("GET", "/backups"):
            return Answer.error(404, "NOT_FOUND", f"{request.method} {request.path} is not served here.")
        if request.headers.get("Api-Key") != self.api_key:
            return Answer.error(401, "UNAUTHENTICATED", "Invalid API key.")
        default_limit = _DEFAULT_LIMITS.get(request.headers.get("X-Pinecone-Api-Version", ""))
        if default_limit is None:
            allowed = " or ".join(_DEFAULT_LIMITS)
            return _bad_request(f"The X-Pinecone-Api-Version header must be {allowed}.")
        return self._page(request.query, default_limit)

    def _page(self, query: Mapping[str, str], default_limit: int) -> Answer:
        token = query.get("paginationToken")
        window = Window(0, default_limit) if token is None else Window.from_token(token)
        if window is None:
            return _bad_request("Invalid pagination token.")
        limit = query.get("limit")
        if limit is not None:
            # Also beside a token: its position stays and the page is cut anew, which skips or repeats backups.
            if not (
                limit.isascii() and limit.isdigit() and len(limit) <= _MOST_DIGITS and 1 <= int(limit) <= MAX_LIMIT
            ):
                return _bad_request(f"limit must be an integer from 1 to {MAX_LIMIT}.")
            window = attrs.evolve(window, size=int(limit))
        return Answer(body=self._listing.page(window))


def _bad_request(message: str) -> Answer:
    return Answer.error(400, "INVALID_ARGUMENT", message)
