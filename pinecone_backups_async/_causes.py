"""Errors of aiohttp, sockets, the resolver and TLS to ours: where it happened, why, and what to do.

Only the fixed texts of the operating system and of OpenSSL are used, and addresses. What the peer sent stays out. The
classes of aiohttp are known by their names only, so that aiohttp keeps its one importer.
"""

import os
import re
import socket
import ssl
import traceback
from typing import Any, Final

from yarl import URL

from ._errors import TLSError, TransportError, TransportTimeoutError

# The alerts with which a peer refuses us, as parts of OpenSSL's names. Under TLS 1.3 those about a client certificate
# arrive behind the request. All other alerts complain of a record, which may be better the next time.
_REFUSAL: Final = re.compile(
    "ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE|PROTOCOL|INSUFFICIENT_SECURITY|DECRYPT_ERROR)"
)
_NOT_TRUSTED: Final = frozenset({2, 18, 19, 20, 21})  # X509_V_ERR_*: no issuer, self-signed, issuer not known here
_HTTP_INSTEAD: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
_BROKEN_OFF: Final = {
    "LineTooLong": "its headers are too large",
    "ClientPayloadError": "its body was cut off or garbled",
    "HttpProcessingError": "it is not valid HTTP",
    "ClientResponseError": "it is not valid HTTP",
    "ServerDisconnectedError": "the connection was closed",
}
_CONNECT_FAILED: Final = re.compile(r"\[Errno (\d+)\] Connect call failed \('([^']+)'")


class Places:
    """The server of a client, and its proxy if there is one: translates errors that happened on the way there."""

    def __init__(self, server: URL, proxy: URL | None) -> None:
        self._server = server
        self._proxy = proxy

    def translated(
        self, error: Any, *, sent: bool, seconds: float | None = None, may_refuse: bool = False
    ) -> TransportError:
        """Return our error for one of aiohttp's or of the sockets.

        `sent` says whether the request may have left, `seconds` which limit has expired, and `may_refuse` that no
        response has begun, so that a TLS alert may be the peer's refusal.
        """
        kinds = {kind.__name__ for kind in type(error).__mro__}
        if "ClientConnectorError" in kinds:
            return self._not_connected(error, kinds)
        place = self._place(at_proxy=self._proxy is not None and not sent)
        if "ClientHttpProxyError" in kinds:
            return TransportError(f"{place} answered {error.status} to CONNECT", status=error.status)
        if "ServerFingerprintMismatch" in kinds:
            return TLSError(f"{place}: the certificate does not have the fingerprint of the connector")
        refusal = _refusal_by_tls(error) if may_refuse else None
        if refusal is not None:
            return TLSError(f"{place} refused the TLS connection: {_tls_words(refusal)}")
        if isinstance(error, TimeoutError):
            time = "in time" if seconds is None else f"within {seconds:.3g} s"
            where = f" from {place}" if sent else f": no connection to {place}{self._hint()}"
            return TransportTimeoutError(f"no complete response {time}{where}", sent=sent)
        return TransportError(f"no complete response from {place}: {_broken_off(error, kinds)}", sent=sent)

    def _not_connected(self, error: Any, kinds: set[str]) -> TransportError:
        proxy = self._proxy
        place = self._place(at_proxy=proxy is not None and (error.host, error.port) == (proxy.raw_host, proxy.port))
        if "ClientConnectorCertificateError" in kinds:
            return TLSError(
                f"the certificate of {place} is not accepted: {_certificate_words(error.certificate_error)}"
            )
        if "ClientConnectorSSLError" in kinds:
            return TLSError(f"the TLS handshake failed with {place}: {_tls_words(error.os_error)}{self._hint()}")
        words = f"{place}: {_os_words(error.os_error)}{self._hint()}"
        if "ClientConnectorDNSError" in kinds:
            return TransportError(f"the name of the host cannot be resolved: {words}")
        return TransportError(f"no connection to {words}")

    def _place(self, *, at_proxy: bool) -> str:
        url = self._proxy if at_proxy and self._proxy is not None else self._server
        return f"the {'proxy' if url is self._proxy else 'server'} {url.host_subcomponent}:{url.port}"

    def _hint(self) -> str:
        """Return what to know if the environment names a proxy and none was passed."""
        names = (name for name in ("HTTPS_PROXY", "https_proxy") if self._proxy is None and os.environ.get(name))
        name = next(names, None)
        return "" if name is None else f" ({name} is set, but this library ignores it: pass proxy=)"


def _broken_off(error: Exception, kinds: set[str]) -> str:
    """Return in our words how a response broke off: aiohttp's own may quote what was received."""
    cause = error.__cause__
    while cause is not None:
        traceback.clear_frames(cause.__traceback__)  # a frame of aiohttp's keeps its error: a reference cycle
        kinds, cause = kinds | {kind.__name__ for kind in type(cause).__mro__}, cause.__cause__
    words = _os_words(error) if isinstance(error, OSError) else type(error).__name__
    return next((words for name, words in _BROKEN_OFF.items() if name in kinds), words)


def _os_words(error: OSError) -> str:
    """Return why a connection failed; if several addresses were tried, why each failed."""
    if isinstance(error, socket.gaierror):  # its numbers are not those of the operating system
        return error.strerror or "the name resolution failed"
    failed = [f"{address}: {os.strerror(int(code))}" for code, address in _CONNECT_FAILED.findall(str(error))]
    if len(failed) > 1:
        return ", ".join(dict.fromkeys(failed))
    return os.strerror(error.errno) if error.errno else type(error).__name__


def _certificate_words(error: ssl.SSLCertVerificationError) -> str:
    """Return why a certificate is not accepted, in OpenSSL's words, and what can be done."""
    words = error.verify_message.rstrip(".")
    if error.verify_code in _NOT_TRUSTED:
        return f"{words}; if its CA is to be trusted, pass ssl_context= or set SSL_CERT_FILE"
    return words


def _tls_words(error: OSError) -> str:
    """Return why a TLS handshake failed, in OpenSSL's words."""
    reason = (error.reason if isinstance(error, ssl.SSLError) else None) or type(error).__name__
    words = reason.replace("_", " ").lower()
    return f"{words}; it may not speak TLS on this port" if reason in _HTTP_INSTEAD else words


def _refusal_by_tls(error: BaseException | None) -> ssl.SSLError | None:
    """Return the TLS alert by which the peer refused us, if that is among the causes of an error."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__
    return error if error is not None and _REFUSAL.search(error.reason or "") else None
