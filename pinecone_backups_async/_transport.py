"""One attempt over the network, with aiohttp. Knows connections, event loops, processes; knows no endpoint, no retry.

Theory of operation
-------------------
A client has one SessionManager. The first call makes its one session, which serves one event loop in one process and
ends with the loop: see `_loops`.

`send` is one attempt: exactly one request on one connection. aiohttp would repeat a GET or DELETE by itself if a
kept connection fails, but only for errors of its own classes. So these are translated inside its call, by a middleware.
Redirects, cookies, netrc and the proxies of the environment are switched off. The middleware also adds the API key, and
takes it off again, so that no span and no error of aiohttp's shows it.

`_Request` is the guard of connections. A connection on which something has arrived before the request was sent is not
used, as that cannot be its response. A new connection fits no kept one, and is closed behind its response whatever the
peer wants. Behind a server error no connection is kept: what may still come on it would be taken for the next response.

Time is limited by asyncio.timeout around the attempt. Closing the client lets all of these limits expire at once.
Aiohttp's own limits are off, as they are rounded up to whole seconds.
"""

import asyncio
import os
import ssl
import threading
from collections.abc import Callable
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp import http_exceptions
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from yarl import URL

from ._arguments import refused
from ._causes import Places
from ._decode import MAX_BODY, MAX_ERROR_BODY
from ._errors import ClientClosedError
from ._loops import Lookups, LoopSession
from ._protocol import Request, Response
from ._retry import Attempt

TRANSPORT: Final = f"aiohttp/{aiohttp.__version__}"
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)
_NEW_CONNECTION: Final = -1  # in the place of a hash in the keys of connections; no hash is -1
_FOREIGN_ERRORS: Final = (aiohttp.ClientError, OSError, http_exceptions.HttpProcessingError)
# Each borrowed connector, and the process in which a client has first seen it.
_connector_pids: Final[WeakKeyDictionary[aiohttp.BaseConnector, int]] = WeakKeyDictionary()


class _Request(aiohttp.ClientRequest):
    """A request that knows its attempt, and what to do before it is sent."""

    new_connection = False
    before_send: Callable[[], None]
    used: ResponseHandler | None = None

    @property
    def connection_key(self) -> Any:
        key = super().connection_key
        return key._replace(proxy_headers_hash=_NEW_CONNECTION) if self.new_connection else key

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        self.used = conn.protocol
        if self.used is None or self.used.should_close:
            raise aiohttp.ServerDisconnectedError
        if self.new_connection:
            self.used.force_close()
        self.before_send()
        return await super().send(conn)

    def discard(self, response: aiohttp.ClientResponse) -> None:
        """Close the connection after the response, or now if it is back in the pool already."""
        used = cast("ResponseHandler", self.used)
        used.force_close()
        if response.connection is None:
            used.close()


class SessionManager:
    """The aiohttp session of one client: made on first use, one for each event loop and process in turn."""

    def __init__(
        self, base_url: str, api_key: str, proxy: str | None, ssl_context: ssl.SSLContext | None, connector: object
    ) -> None:
        if connector is not None and not isinstance(connector, aiohttp.BaseConnector):
            raise refused("connector", f"must be an aiohttp connector, not {type(connector).__name__}")
        if connector is not None:
            _connector_pids.setdefault(connector, os.getpid())
        place_of_proxy = None if proxy is None else URL(proxy).with_user(None)
        self._places = Places(URL(base_url, encoded=True), place_of_proxy)
        # In functions, so that no repr, vars or pickle shows them.
        self._api_key: Callable[[], str] = lambda: api_key
        self._proxy: Callable[[], str | None] = lambda: proxy
        self._ssl_context = ssl_context
        self._connector = connector
        self._session: LoopSession | None = None
        self._lock = threading.Lock()
        self._limits: dict[asyncio.Timeout, asyncio.AbstractEventLoop] = {}
        self.closed = False

    async def send(self, request: Request, attempt: Attempt) -> Response:
        """Send one request and return its whole response; raise TransportError or ClientClosedError.

        The response is complete within `attempt.seconds`. Until the request begins to be sent, a shorter limit may
        hold. `attempt.sent` becomes True as soon as a byte of the request may have left.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + attempt.seconds
        to_send = attempt.seconds if attempt.seconds_to_send is None else min(attempt.seconds, attempt.seconds_to_send)
        limit = asyncio.timeout(to_send)

        def before_send() -> None:
            self.check_open("the client was closed during the call")
            attempt.sent = True
            limit.reschedule(deadline)

        try:
            async with limit:
                self._limits[limit] = loop
                return await self._exchange(request, attempt, before_send)
        except _FOREIGN_ERRORS as error:
            seconds = (attempt.seconds if attempt.sent else to_send) if limit.expired() else None
            # The response broke off, or aiohttp's call was mocked: then only what could not connect was not sent.
            attempt.sent |= seconds is None and not isinstance(error, aiohttp.ClientConnectorError)
            self.check_open("the client was closed during the call")
            raise self._places.translated(error, sent=attempt.sent, seconds=seconds) from None
        finally:
            self._limits.pop(limit, None)

    async def _exchange(self, request: Request, attempt: Attempt, before_send: Callable[[], None]) -> Response:
        async def middleware(
            outgoing: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
        ) -> aiohttp.ClientResponse:
            ours = cast("_Request", outgoing)
            ours.new_connection, ours.before_send = attempt.new_connection, before_send
            ours.headers["Api-Key"] = self._api_key()
            try:
                response = await send(outgoing)
            except _FOREIGN_ERRORS as error:
                self.check_open("the client was closed during the call")
                raise self._places.translated(error, sent=attempt.sent, may_refuse=True) from None
            finally:
                ours.headers.popall("Api-Key", None)
            if response.status >= 500 or response.status == 408:
                ours.discard(response)
            return response

        session = await self._current_session()
        headers = {**request.headers, "Connection": "close"} if attempt.new_connection else request.headers
        url = URL(request.url, encoded=True)
        async with session.request(
            request.method, url, data=request.body, headers=headers, allow_redirects=False, middlewares=(middleware,)
        ) as response:
            body = await _body(response)
            return Response(response.status, response.headers, body or b"", too_large=body is None)

    async def sleep_unless_closed(self, seconds: float) -> None:
        """Wait; raise ClientClosedError as soon as the client is closed."""
        loop, limit = asyncio.get_running_loop(), asyncio.timeout(seconds)
        try:
            async with limit:
                self._limits[limit] = loop
                await loop.create_future()
        except TimeoutError:
            self.check_open("the client was closed during a wait")
        finally:
            self._limits.pop(limit, None)

    async def close(self) -> None:
        """Close the session, and end what waits for it. Closing twice is fine, even if the first was cancelled."""
        if self._session is not None and self._session.is_inherited():
            self.abandon()
        if self._session is not None:
            self._session.check_loop()
        self.closed = True
        session, self._session = self._session, None
        for limit, loop in list(self._limits.items()):
            if loop is asyncio.get_running_loop() and not limit.expired():
                limit.reschedule(0)
        if session is not None:
            try:
                await asyncio.sleep(0)  # our limits end what waits, before aiohttp would cancel it
            finally:
                await session.close()

    def abandon(self) -> bool:
        """Give up a session that was never closed; return whether there was one of this process."""
        session, self._session = self._session, None
        return session is not None and session.give_up()

    def check_open(self, message: str = "the client is closed") -> None:
        """Raise ClientClosedError if the client is closed."""
        if self.closed:
            raise ClientClosedError(message)

    async def _current_session(self) -> aiohttp.ClientSession:
        self.check_open()
        with self._lock:  # two threads may be in their first call, each with a loop of its own
            session = self._session
            if session is None or not session.is_usable():
                self.abandon()
                self._session = session = LoopSession()
        return cast("aiohttp.ClientSession", await session.start(self._new_session))

    def _new_session(self) -> aiohttp.ClientSession:
        connector = self._connector
        if connector is not None:
            if _connector_pids[connector] != os.getpid():
                advice = "after os.fork(), make a client and a connector in each process"
                raise RuntimeError(f"connector= was made in another process: {advice}")
            if connector.closed or connector._loop is not asyncio.get_running_loop():  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
                what = "is closed" if connector.closed else "belongs to another event loop"
                raise RuntimeError(f"connector= {what}: use a client and a connector for each event loop")
        return aiohttp.ClientSession(
            connector=connector or aiohttp.TCPConnector(ssl=self._ssl_context or True, resolver=_resolver()),
            connector_owner=connector is None,
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=self._proxy(),
            request_class=_Request,
            timeout=_NO_TIMEOUT,
            trust_env=False,
        )


def _resolver() -> AbstractResolver | None:
    if aiohttp.DefaultResolver is not aiohttp.ThreadedResolver:
        return None  # aiodns is installed, and needs no threads
    return aiohttp.ThreadedResolver(cast("asyncio.AbstractEventLoop", Lookups()))


async def _body(response: aiohttp.ClientResponse) -> bytes | None:
    """Read to the limit: a successful response beyond it is None, and of an error only the beginning is kept."""
    is_success = 200 <= response.status < 300
    limit = MAX_BODY if is_success else MAX_ERROR_BODY
    body = b""
    if not is_success or (response.content_length or 0) <= limit:
        try:
            body = await response.content.readexactly(limit + 1)
        except asyncio.IncompleteReadError as error:
            return error.partial
    response.close()  # the rest is never read, so the connection is of no use
    return None if is_success else body[:limit]
