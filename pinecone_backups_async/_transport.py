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
import re
import ssl
import threading
import traceback
from collections.abc import Callable
from typing import Any, Final
from urllib.request import getproxies_environment
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.connector import Connection
from yarl import URL

from ._arguments import refused
from ._decode import MAX_BODY, MAX_ERROR_BODY
from ._errors import ClientClosedError, TLSError, TransportError, TransportTimeoutError
from ._loops import LOOKUPS, LoopSession
from ._protocol import Request, Response
from ._retry import Attempt

TRANSPORT: Final = f"aiohttp/{aiohttp.__version__}"
_FOREIGN_ERRORS: Final = (aiohttp.ClientError, OSError)
# Each borrowed connector, and the process in which a client has first seen it.
_connector_pids: Final[WeakKeyDictionary[aiohttp.BaseConnector, int]] = WeakKeyDictionary()
# The alerts with which a peer refuses us, as parts of OpenSSL's names. Under TLS 1.3 those about a client certificate
# arrive behind the request. All other alerts complain of a record, which may be better the next time.
_REFUSAL: Final = "ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE|PROTOCOL|SECURITY|DECRYPT_ERROR)"
_CONNECT_FAILED: Final = r"\[Errno (\d+)\] Connect call failed \('([^']+)'"
_NOT_ACCEPTED: Final = (
    "the certificate of {place} is not accepted: {words} (to trust a CA: ssl_context=, SSL_CERT_FILE)"
)
# Classes of exceptions: what they become, and the sentence. The first one in the order of an error's classes counts.
_KINDS: Final[dict[type, tuple[type[TransportError], str]]] = {
    aiohttp.ClientHttpProxyError: (TransportError, "{place} answered {status} to CONNECT"),
    aiohttp.ServerFingerprintMismatch: (TLSError, "the fingerprint of {place} is not that of the connector"),
    aiohttp.ClientConnectorCertificateError: (TLSError, _NOT_ACCEPTED),
    aiohttp.ClientConnectorSSLError: (TLSError, "the TLS handshake failed with {place}: {words}"),
    aiohttp.ClientConnectorDNSError: (TransportError, "the name of the host cannot be resolved: {place}: {words}"),
    aiohttp.ClientConnectorError: (TransportError, "no connection to {place}: {words}"),
    TimeoutError: (TransportTimeoutError, "no complete response within {seconds:.3g} s{where}"),
    Exception: (TransportError, "no complete response from {place}: {words}"),
}


class _Request(aiohttp.ClientRequest):
    """A request that knows what to do before it is sent, and which connection it has used."""

    before_send: Callable[[], None]
    used: Any

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        self.used = conn.protocol
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
        self._server = URL(base_url, encoded=True)
        self._proxy = None if proxy is None else URL(proxy).origin()
        # In functions, so that no repr, vars or pickle shows the secrets.
        self._api_key: Callable[[], str] = lambda: api_key
        self._make: Callable[[], aiohttp.ClientSession] = lambda: _new_session(proxy, ssl_context, connector)
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
            if attempt.seconds > attempt.seconds_to_send:
                limit.reschedule(deadline)

        try:
            async with limit:
                session.limits.add(limit)
                return await self._answer(session.http, request, attempt, before_send)
        except _FOREIGN_ERRORS as error:
            # The response broke off, or aiohttp's call was mocked: then only what could not connect was not sent.
            attempt.sent |= not limit.expired() and not isinstance(error, aiohttp.ClientConnectorError)
            raise self._translated(error, attempt) from None
        finally:
            session.limits.discard(limit)

    async def _answer(self, http: Any, request: Request, attempt: Attempt, before_send: Callable[[], None]) -> Response:
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
        async with http.request(
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

    async def sleep_unless_closed(self, seconds: float) -> None:
        """Wait; raise ClientClosedError as soon as the client is closed."""
        await asyncio.wait([self._current_session().closing], timeout=seconds)
        self.check_open()

    async def close(self) -> None:
        """Close the session, and end what waits for it. Closing twice is fine, even if the first was cancelled."""
        session = self._session if self._session is not None and self._session.is_usable() else None
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
                self._session = LoopSession(self._make)
            return self._session

    def _translated(self, error: Any, attempt: Attempt) -> TransportError:
        """Return our error for one of aiohttp's or of the sockets; raise ClientClosedError if closing is its reason."""
        self.check_open()
        cause, place = _innermost(error), self._place(error, attempt)
        kind, sentence = next(_KINDS[kind] for kind in type(error).__mro__ if kind in _KINDS)
        is_refusal = isinstance(cause, ssl.SSLError) and re.search(_REFUSAL, cause.reason or "")
        if is_refusal and isinstance(error, aiohttp.ClientOSError):  # which is no error of a response that has begun
            kind, sentence = _KINDS[aiohttp.ClientConnectorSSLError]
        seconds = attempt.seconds if attempt.sent else attempt.seconds_to_send
        where = f" from {place}" if attempt.sent else f": no connection to {place}"
        status = error.status if isinstance(error, aiohttp.ClientHttpProxyError) else None
        message = sentence.format(place=place, words=_words(cause), where=where, seconds=seconds, status=status)
        if not attempt.sent and self._proxy is None and "https" in getproxies_environment():
            message += " (HTTPS_PROXY is set, but this library ignores it: pass proxy=)"
        return kind(message, status=status, sent=attempt.sent and kind is not TLSError)

    def _place(self, error: Any, attempt: Attempt) -> str:
        """Return where an error happened: until the request is sent at the proxy, unless the error names the server."""
        named = (getattr(error, "host", None), getattr(error, "port", None))
        if self._proxy is None or attempt.sent or named == (self._server.raw_host, self._server.port):
            return f"the server {self._server.host_subcomponent}:{self._server.port}"
        return f"the proxy {self._proxy.host_subcomponent}:{self._proxy.port}"


def _new_session(proxy: str | None, ssl_context: ssl.SSLContext | None, connector: Any) -> aiohttp.ClientSession:
    if connector is not None:
        is_ours = connector._loop is asyncio.get_running_loop() and _connector_pids[connector] == os.getpid()  # noqa: SLF001
        if connector.closed or not is_ours:
            raise RuntimeError("connector= is closed, or of another event loop or process: make one in each")
    # LOOKUPS is all that a resolver needs of an event loop.
    return aiohttp.ClientSession(
        connector=connector
        or aiohttp.TCPConnector(ssl=ssl_context or True, resolver=aiohttp.ThreadedResolver(LOOKUPS)),
        connector_owner=connector is None,
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=proxy,
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


def _innermost(error: BaseException) -> BaseException:
    """Return the cause of all causes of an error."""
    while error.__cause__ is not None:
        error = error.__cause__
        traceback.clear_frames(error.__traceback__)  # a frame of aiohttp's keeps its error: a reference cycle
    return error


def _words(error: BaseException) -> str:
    """Return why it failed, in fixed words: what aiohttp says in its own may quote what was received."""
    text = str(error) if isinstance(error, OSError) else ""
    failed = [f"{address}: {os.strerror(int(code))}" for code, address in re.findall(_CONNECT_FAILED, text)]
    return ", ".join(failed) or getattr(error, "strerror", None) or type(error).__name__
