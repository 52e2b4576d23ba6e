"""aiohttp sessions and one attempt on the wire. Knows connections, loops and processes; knows no page and no retry.

What aiohttp would do behind our back is switched off here: its own repetition of a GET, redirects, cookies, netrc,
environment proxies. Its exceptions end here, translated by class; nothing of theirs is chained, as they hold headers.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp import http_exceptions
from aiohttp.connector import Connection
from yarl import URL

from ._decode import MAX_BODY, MAX_ERROR_BODY
from ._errors import (
    BackupsError,
    ClientClosedError,
    ConfigurationError,
    TLSError,
    TransportError,
    TransportTimeoutError,
)
from ._protocol import Request, Response
from ._retry import Attempt

if TYPE_CHECKING:
    import ssl

    from ._settings import Secret

__all__ = ["TRANSPORT", "SessionManager"]

TRANSPORT: Final = f"aiohttp/{aiohttp.__version__}"
# Limits in time are asyncio.timeout's, around an attempt: aiohttp's own would be rounded up to whole seconds.
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)


class _OneAttemptError(aiohttp.ClientError):
    """Carry an error past aiohttp's own repetition of a GET, which knows only its own classes."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class _PooledRequest(aiohttp.ClientRequest):
    """A request that refuses a connection on which something has arrived before it was sent: that is not its answer."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        if conn.protocol is not None and conn.protocol.should_close:
            raise aiohttp.ServerDisconnectedError
        return await super().send(conn)


class _UnpooledRequest(aiohttp.ClientRequest):
    """A request that fits no pooled connection: each has a connection key of its own."""

    @property
    def connection_key(self) -> Any:
        return super().connection_key._replace(proxy_headers_hash=id(self))


class SessionManager:
    """Own the aiohttp sessions of one client: made on first use, one set for each event loop and process in turn."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: Secret[str],
        proxy: Secret[str | None],
        ssl_context: ssl.SSLContext | None,
        connector: object,
    ) -> None:
        if connector is not None and not isinstance(connector, aiohttp.BaseConnector):
            raise ConfigurationError(f"connector must be an aiohttp connector, not {type(connector).__name__}")
        self._origin = URL(base_url, encoded=True).origin()
        self._api_key = api_key
        self._proxy = proxy
        self._ssl_context = ssl_context
        self._connector = connector
        self._sessions: _Sessions | None = None
        self._limits: set[asyncio.Timeout] = set()
        self.closed = False

    async def send(self, request: Request, attempt: Attempt) -> Response:
        """Send one GET and return its whole answer, in so many seconds; raise TransportError or ClientClosedError."""
        failure: BackupsError
        seconds = attempt.seconds
        limit = asyncio.timeout(seconds)
        try:
            with self._interruptible(limit):
                async with limit:
                    attempt.sent = True
                    return await self._exchange(request, unpooled=attempt.new_connection)
        except (aiohttp.ClientError, OSError, http_exceptions.HttpProcessingError) as error:
            if self.closed:
                failure = ClientClosedError("the client was closed during the call")
            elif limit.expired():
                failure = TransportTimeoutError(f"no complete answer within {seconds:.3g} s")
            else:
                failure = _translated(error)
            if isinstance(failure, TransportError):
                failure.sent = attempt.sent
        raise failure  # out here, so that no aiohttp error is its context

    async def _exchange(self, request: Request, *, unpooled: bool) -> Response:
        sessions = await self._current_sessions()
        session = sessions.unpooled if unpooled else sessions.pooled
        headers = {**request.headers, "Connection": "close"} if unpooled else request.headers
        async with session.request(
            request.method,
            URL(request.url, encoded=True),
            headers=headers,
            data=request.body,
            allow_redirects=False,
        ) as response:
            body = await _body(response)
            return Response(response.status, response.headers, body or b"", too_large=body is None)

    async def sleep_unless_closed(self, seconds: float) -> None:
        """Wait; raise ClientClosedError as soon as the client is closed."""
        limit = asyncio.timeout(seconds)
        with contextlib.suppress(TimeoutError), self._interruptible(limit):
            async with limit:
                await asyncio.get_running_loop().create_future()
        if self.closed:
            raise ClientClosedError("the client was closed during the wait before a retry")

    async def close(self) -> None:
        """Close the sessions, and end what waits on them. Closing twice is fine."""
        if self._sessions is not None and self._sessions.is_inherited():
            self.abandon()
        sessions = self._sessions
        if sessions is not None:
            sessions.check_loop()
        self.closed, self._sessions = True, None
        for limit in self._limits:
            if not limit.expired():
                limit.reschedule(0)
        if sessions is not None:
            await asyncio.sleep(0)  # our limits end what waits, before aiohttp would cancel it
            await sessions.close()

    def abandon(self) -> bool:
        """Let go of sessions that were never closed; return whether there were any of this process."""
        sessions, self._sessions = self._sessions, None
        inherited = sessions is not None and sessions.is_inherited()
        if sessions is not None:
            (sessions.immortalise if inherited else sessions.close_with_dead_loop)()
        return sessions is not None and not inherited

    @contextlib.contextmanager
    def _interruptible(self, limit: asyncio.Timeout) -> Generator[None]:
        self._limits.add(limit)
        try:
            yield
        finally:
            self._limits.discard(limit)

    def check_open(self) -> None:
        """Raise ClientClosedError where the client is closed."""
        if self.closed:
            raise ClientClosedError("the client is closed")

    async def _current_sessions(self) -> _Sessions:
        self.check_open()
        sessions = self._sessions
        if sessions is not None:
            if not sessions.is_inherited() and sessions.is_usable():
                return sessions
            self.abandon()
        connector, loop = self._connector, asyncio.get_running_loop()
        if connector is not None and (connector.closed or connector._loop is not loop):  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            what = "is closed" if connector.closed else "belongs to another event loop"
            raise RuntimeError(f"connector= {what}: use a client and a connector for each event loop")
        self._sessions = sessions = _Sessions(connector, self._ssl_context, self._proxy, self._authorize)
        await sessions.start()
        return sessions

    async def _authorize(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Put the key on a request to the configured origin, and take it off again: nothing finds it there later."""
        if request.url.origin() == self._origin:
            request.headers["Api-Key"] = self._api_key.reveal()
        try:
            return await send(request)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise _OneAttemptError(error) from None
        finally:
            request.headers.popall("Api-Key", None)


class _Sessions:
    """The sessions of one event loop in one process, over one connector. They end with the loop at the latest."""

    def __init__(
        self,
        connector: aiohttp.BaseConnector | None,
        ssl_context: ssl.SSLContext | None,
        proxy: Secret[str | None],
        middleware: aiohttp.ClientMiddlewareType,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._pid = os.getpid()
        settings: dict[str, Any] = {
            "connector": aiohttp.TCPConnector(ssl=ssl_context or True) if connector is None else connector,
            "cookie_jar": aiohttp.DummyCookieJar(),
            "middlewares": (middleware,),
            "proxy": proxy.reveal(),
            "timeout": _NO_TIMEOUT,
            "trust_env": False,
        }
        self.pooled = aiohttp.ClientSession(connector_owner=connector is None, request_class=_PooledRequest, **settings)
        self.unpooled = aiohttp.ClientSession(connector_owner=False, request_class=_UnpooledRequest, **settings)
        self._lifetime = _until_closed(self.unpooled, self.pooled)

    async def start(self) -> None:
        await anext(self._lifetime)

    async def close(self) -> None:
        await self._lifetime.aclose()

    def is_inherited(self) -> bool:
        return self._pid != os.getpid()

    def is_usable(self) -> bool:
        """Say whether these sessions serve the running loop; not where theirs has closed. Raises in any other."""
        self.check_loop()
        return not self._loop.is_closed() and not self.pooled.closed

    def check_loop(self) -> None:
        running = asyncio.get_running_loop()
        if running is not self._loop and not self._loop.is_closed():
            loops = f"event loop {id(self._loop):#x} and cannot serve {id(running):#x}"
            raise RuntimeError(f"this client serves {loops}: use a client for each")

    def close_with_dead_loop(self) -> None:
        if self._loop.is_closed():
            with contextlib.suppress(StopIteration):  # nothing is left to wait for
                self._lifetime.aclose().__await__().send(None)

    def immortalise(self) -> None:
        """Never let these be collected: what a forked child closes, it would unregister from its parent's selector."""
        import ctypes  # noqa: PLC0415 - only forked children pay for it

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))


async def _until_closed(*sessions: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    """Close the sessions when this generator is closed: by us, or by the loop before it ends."""
    try:
        yield
    finally:
        for session in sessions:
            await session.close()


async def _body(response: aiohttp.ClientResponse) -> bytes | None:
    """Read to the limit: a page beyond it is None, and of an error only the beginning is kept."""
    is_page = 200 <= response.status < 300
    most = MAX_BODY if is_page else MAX_ERROR_BODY
    too_large = is_page and (response.content_length or 0) > most
    chunks: list[bytes] = []
    size = 0
    while not too_large:
        chunk = await response.content.readany()
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        size += len(chunk)
        too_large = size > most
    response.close()  # the rest is never read, so the connection is of no use
    return None if is_page else b"".join(chunks)[:most]


def _translated(error: Exception) -> TransportError:
    """Return our error for one of aiohttp's or of the sockets: class and errno only, as its text may quote bytes."""
    if isinstance(error, _OneAttemptError):
        error = error.error
    kind = type(error).__name__
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return TransportError(f"the proxy answered {error.status}", status=error.status)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return TLSError(f"{kind}: the server's certificate is not trusted for this host")
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return TLSError(f"{kind}: the TLS handshake failed")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return TransportError(f"{kind}: the name of the host cannot be resolved")
    code = error.errno if isinstance(error, OSError) else None
    return TransportError(f"{kind}: {os.strerror(code)}" if code else f"{kind}: no complete answer")
