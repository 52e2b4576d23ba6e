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
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from yarl import URL

from ._arguments import refused
from ._causes import Places
from ._decode import MAX_BODY, MAX_ERROR_BODY
from ._errors import ClientClosedError, TransportError
from ._loops import Lookups, LoopSession
from ._protocol import Request, Response
from ._retry import Attempt

TRANSPORT: Final = f"aiohttp/{aiohttp.__version__}"
_FOREIGN_ERRORS: Final = (aiohttp.ClientError, OSError)
# Each borrowed connector, and the process in which a client has first seen it.
_connector_pids: Final[WeakKeyDictionary[aiohttp.BaseConnector, int]] = WeakKeyDictionary()


class _Request(aiohttp.ClientRequest):
    """A request that knows what to do before it is sent, and which connection it has used."""

    before_send: Callable[[], None]
    used: ResponseHandler

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        self.used = cast("ResponseHandler", conn.protocol)
        if self.used.should_close:
            raise aiohttp.ServerDisconnectedError
        self.before_send()
        return await super().send(conn)


class SessionManager:
    """The aiohttp session of one client: made on first use, one for each event loop and process in turn."""

    def __init__(
        self, base_url: str, api_key: str, proxy: str | None, ssl_context: ssl.SSLContext | None, connector: object
    ) -> None:
        if connector is not None and not isinstance(connector, aiohttp.BaseConnector):
            raise refused("connector", f"must be an aiohttp connector, not {type(connector).__name__}")
        if connector is not None:
            _connector_pids.setdefault(connector, os.getpid())
        self._places = Places(base_url, proxy)
        # In functions, so that no repr, vars or pickle shows them.
        self._api_key: Callable[[], str] = lambda: api_key
        self._proxy: Callable[[], str | None] = lambda: proxy
        self._ssl_context = ssl_context
        self._connector = connector
        self._session: LoopSession | None = None
        self._lock = threading.Lock()
        self.closed = False

    async def send(self, request: Request, attempt: Attempt) -> Response:
        """Send one request and return its whole response; raise TransportError or ClientClosedError.

        The response is complete within `attempt.seconds`. Until the request begins to be sent, a shorter limit may
        hold. `attempt.sent` becomes True as soon as a byte of the request may have left.
        """
        session = self._current_session()
        deadline = asyncio.get_running_loop().time() + attempt.seconds
        limit = asyncio.timeout(attempt.seconds_to_send)

        def before_send() -> None:
            self.check_open()
            attempt.sent = True
            limit.reschedule(deadline)

        try:
            async with limit:
                session.limits.add(limit)
                return await self._exchange(session.http, request, attempt, before_send)
        except _FOREIGN_ERRORS as error:
            # The response broke off, or aiohttp's call was mocked: then only what could not connect was not sent.
            attempt.sent |= not limit.expired() and not isinstance(error, aiohttp.ClientConnectorError)
            raise self._translated(error, attempt) from None
        finally:
            session.limits.discard(limit)

    async def _exchange(
        self, session: aiohttp.ClientSession, request: Request, attempt: Attempt, before_send: Callable[[], None]
    ) -> Response:
        async def middleware(ours: Any, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
            ours.before_send = before_send
            ours.headers["Api-Key"] = self._api_key()
            try:
                response = await send(ours)
            except _FOREIGN_ERRORS as error:
                raise self._translated(error, attempt) from None
            finally:
                ours.headers.popall("Api-Key", None)
            if attempt.new_connection or response.status >= 500 or response.status == 408:
                ours.used.force_close()
                if response.connection is None:  # it is back in the pool already
                    ours.used.close()
            return response

        url, host, headers = URL(request.url, encoded=True), None, request.headers
        if attempt.new_connection:  # to name the host changes nothing, but then no kept connection fits
            host, headers = url.raw_host, {**headers, "Connection": "close"}
        async with session.request(
            request.method,
            url,
            data=request.body,
            headers=headers,
            allow_redirects=False,
            server_hostname=host,
            middlewares=(middleware,),
        ) as response:
            body = await _body(response)
            return Response(response.status, response.headers, body or b"", too_large=body is None)

    def _translated(self, error: Exception, attempt: Attempt) -> TransportError:
        self.check_open()
        seconds = attempt.seconds if attempt.sent else attempt.seconds_to_send
        return self._places.translated(error, sent=attempt.sent, seconds=seconds)

    async def sleep_unless_closed(self, seconds: float) -> None:
        """Wait; raise ClientClosedError as soon as the client is closed."""
        await asyncio.wait([self._current_session().closing], timeout=seconds)
        self.check_open()

    async def close(self) -> None:
        """Close the session, and end what waits for it. Closing twice is fine, even if the first was cancelled."""
        session = self._session
        if session is not None and not session.is_usable():
            session = None
        self.closed, self._session = True, None
        if session is not None:
            await session.close()

    def abandon(self) -> bool:
        """Give up a session that was never closed; return whether there was one of this process."""
        return self._session is not None and self._session.give_up()

    def check_open(self) -> None:
        """Raise ClientClosedError if the client is closed."""
        if self.closed:
            raise ClientClosedError("the client is closed")

    def _current_session(self) -> LoopSession:
        self.check_open()
        with self._lock:  # two threads may be in their first call, each with a loop of its own
            if self._session is None or not self._session.is_usable() or self._session.http.closed:
                self._session = LoopSession(self._new_session)
            return self._session

    def _new_session(self) -> aiohttp.ClientSession:
        connector = self._connector
        if connector is not None:
            loop: object = connector._loop  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            is_ours = loop is asyncio.get_running_loop() and _connector_pids[connector] == os.getpid()
            if connector.closed or not is_ours:
                advice = "make a client and a connector in each event loop, and after os.fork() in each process"
                raise RuntimeError(f"connector= is closed, or belongs to another event loop or process: {advice}")
        lookups: Any = Lookups()  # all of an event loop that a resolver needs
        return aiohttp.ClientSession(
            connector=connector
            or aiohttp.TCPConnector(ssl=self._ssl_context or True, resolver=aiohttp.ThreadedResolver(lookups)),
            connector_owner=connector is None,
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=self._proxy(),
            request_class=_Request,
            timeout=aiohttp.ClientTimeout(),
        )


async def _body(response: aiohttp.ClientResponse) -> bytes | None:
    """Read to the limit: a successful response beyond it is None, and of an error only the beginning is kept."""
    is_success = 200 <= response.status < 300
    limit = MAX_BODY if is_success else MAX_ERROR_BODY
    chunks = list[bytes]()
    too_large = is_success and (response.content_length or 0) > limit
    while not too_large and (chunk := await response.content.readany()):
        chunks.append(chunk)
        too_large = response.content.total_bytes > limit
    if too_large:
        response.close()  # the rest is never read, so the connection is of no use
    return None if too_large and is_success else b"".join(chunks)[:limit]
