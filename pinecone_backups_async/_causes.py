"""Errors of aiohttp, sockets, the resolver and TLS to ours: where it happened, and why.

Only the fixed texts of the operating system and of OpenSSL, names of classes, and addresses are used. What the peer
sent stays out. The classes of aiohttp are known by their names only, so that aiohttp keeps its one importer.
"""

import os
import re
import ssl
import traceback
from typing import Any, Final
from urllib.request import getproxies_environment

from yarl import URL

from ._errors import TLSError, TransportError, TransportTimeoutError

# The alerts with which a peer refuses us, as parts of OpenSSL's names. Under TLS 1.3 those about a client certificate
# arrive behind the request. All other alerts complain of a record, which may be better the next time.
_REFUSAL: Final = re.compile(
    "ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE|PROTOCOL|INSUFFICIENT_SECURITY|DECRYPT_ERROR)"
)
_CONNECT_FAILED: Final = re.compile(r"\[Errno (\d+)\] Connect call failed \('([^']+)'")


# Classes of exceptions: what they become, and the sentence. The first one in the order of an error's classes counts.
_KINDS: Final[dict[str, tuple[type[TransportError], str]]] = {
    "ClientHttpProxyError": (TransportError, "{place} answered {status} to CONNECT"),
    "ServerFingerprintMismatch": (TLSError, "the certificate of {place} does not have the connector's fingerprint"),
    "ClientConnectorCertificateError": (TLSError, "the certificate of {place} is not accepted: {words}"),
    "ClientConnectorSSLError": (TLSError, "the TLS handshake failed with {place}: {words}"),
    "ClientConnectorDNSError": (TransportError, "the name of the host cannot be resolved: {place}: {words}"),
    "ClientConnectorError": (TransportError, "no connection to {place}: {words}"),
    "TimeoutError": (TransportTimeoutError, "no complete response within {seconds:.3g} s{where}"),
    "BaseException": (TransportError, "no complete response from {place}: {words}"),
}


class Places:
    """The server of a client, and its proxy if there is one: translates errors that happened on the way there."""

    def __init__(self, server: str, proxy: str | None) -> None:
        self._server = URL(server, encoded=True)
        self._proxy = None if proxy is None else URL(proxy).origin()

    def translated(self, error: Any, *, sent: bool, seconds: float) -> TransportError:
        """Return our error for one of aiohttp's or of the sockets.

        `sent` says whether the request may have left, `seconds` which limit has expired if it is a timeout.
        """
        names = [kind.__name__ for kind in type(error).__mro__]
        kind, sentence = next(_KINDS[name] for name in names if name in _KINDS)
        cause = _innermost(error)
        if "ClientOSError" in names and isinstance(cause, ssl.SSLError) and _REFUSAL.search(cause.reason or ""):
            kind, sentence = _KINDS["ClientConnectorSSLError"]
        status = error.status if "ClientHttpProxyError" in names else None
        place = self._place(error, sent=sent)
        where = f" from {place}" if sent else f": no connection to {place}"
        message = sentence.format(place=place, words=_words(cause), where=where, seconds=seconds, status=status)
        if not sent and self._proxy is None and "https" in getproxies_environment():
            message += " (HTTPS_PROXY is set, but this library ignores it: pass proxy=)"
        return kind(message, status=status, sent=sent and kind is not TLSError)

    def _place(self, error: Any, *, sent: bool) -> str:
        """Return where an error happened: until the request is sent at the proxy, unless the error names the server."""
        server, proxy = self._server, self._proxy
        named = (getattr(error, "host", None), getattr(error, "port", None))
        if proxy is None or sent or named == (server.raw_host, server.port):
            return f"the server {server.host_subcomponent}:{server.port}"
        return f"the proxy {proxy.host_subcomponent}:{proxy.port}"


def _innermost(error: BaseException) -> BaseException:
    """Return the cause of all causes of an error."""
    while error.__cause__ is not None:
        error = error.__cause__
        traceback.clear_frames(error.__traceback__)  # a frame of aiohttp's keeps its error: a reference cycle
    return error


def _words(error: BaseException) -> str:
    """Return why it failed, in fixed words: what aiohttp says in its own may quote what was received."""
    failed = [f"{address}: {os.strerror(int(code))}" for code, address in _CONNECT_FAILED.findall(str(error))]
    return ", ".join(failed) or getattr(error, "strerror", None) or type(error).__name__
