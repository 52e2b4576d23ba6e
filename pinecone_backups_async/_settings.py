"""Arguments and environment to checked values. Knows what is allowed and says so; knows no loop and sends nothing.

No message repeats a value that may be secret. The variables of these functions are dropped by the wall of the caller.
"""

from __future__ import annotations

import functools
import ipaddress
import json
import os
import re
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, cast

from yarl import URL

from ._errors import ConfigurationError

__all__ = [
    "Secret",
    "checked_api_key",
    "checked_base_url",
    "checked_headers",
    "checked_proxy",
    "checked_ssl_context",
    "headers_from",
    "key_source",
    "text_from",
]

MAX_KEY_LENGTH: Final = 512
_DEFAULT_URL: Final = "https://api.pinecone.io"
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OUR_HEADERS: Final = re.compile(
    "api-key|x-pinecone-api-version|host|content-(length|encoding)|transfer-encoding|connection|cookie|accept-encoding|expect",
    re.IGNORECASE,
)
_T_co = TypeVar("_T_co", covariant=True)


class Secret(Generic[_T_co]):
    """A value that no repr, vars or pickle shows; `reveal()` returns it."""

    __slots__ = ("reveal",)

    def __init__(self, value: _T_co) -> None:
        self.reveal: Callable[[], _T_co] = lambda: value

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a secret cannot be pickled")


def _refused(argument: str, reason: str) -> ConfigurationError:
    return ConfigurationError(f"{argument} {reason}", argument=argument)


def text_from(environ: Mapping[str, str], name: str, argument: _T_co | None) -> _T_co | str | None:
    """Return the argument; if it is None, the environment's value; if that is absent or empty, None."""
    return argument if argument is not None else environ.get(name) or None


def key_source(argument: object) -> str:
    """Return where the API key comes from, for messages about a key that the service refuses."""
    return "PINECONE_API_KEY" if argument is None else "the argument api_key"


def checked_api_key(key: object) -> Secret[str]:
    """Return the key, which must be printable ASCII without spaces, at most 512 characters, and not in quotes."""
    if key is None:
        raise _refused("api_key", "is missing: pass api_key=... or set PINECONE_API_KEY")
    if not isinstance(key, str):
        raise _refused("api_key", f"must be a str, not {type(key).__name__}")
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        raise _refused("api_key", f"must have 1 to {MAX_KEY_LENGTH} characters")
    if not _is_visible_ascii(key):
        raise _refused("api_key", "must be printable ASCII without spaces")
    if len(key) > 1 and key[0] == key[-1] and key[0] in "\"'`":
        raise _refused("api_key", "must not be in quotes: remove the quotation marks around it")
    return Secret(key)


def _is_visible_ascii(text: str) -> bool:
    return all("!" <= character <= "~" for character in text)


def checked_base_url(value: object) -> str:
    """Return the URL that paths are appended to: https, or http to loopback; a bare host gets https://."""
    if value is None:
        return _DEFAULT_URL
    text = f"https://{value}" if isinstance(value, str) and "://" not in value else value
    url = _url("base_url", text)
    if url.raw_user is not None or url.raw_password is not None or "?" in str(text) or "#" in str(text):
        raise _refused("base_url", "must not contain user information, a query or a fragment")
    if url.scheme == "http" and not _is_loopback(url.raw_host or ""):
        raise _refused("base_url", "must be https: plain http is for loopback addresses only")
    return f"{url.origin()}{url.raw_path.rstrip('/')}"  # as the transport spells it: the key goes to this origin alone


def checked_proxy(value: object, base_url: str) -> Secret[str | None]:
    """Return the URL of the proxy: http or https, user information allowed; only for an https base_url."""
    if value is None:
        return Secret(None)
    url = _url("proxy", value)
    if base_url.startswith("http:"):
        raise _refused("proxy", "needs an https base_url: over plain http the proxy would see the key")
    try:
        f"{url.user}:{url.password}".encode("latin-1")  # as aiohttp will, in the middle of a call
        has_colon = ":" in (url.user or "")
    except UnicodeEncodeError:
        has_colon = True
    if has_colon:
        raise _refused("proxy", "must have a user without a colon, and both user and password in Latin-1")
    return Secret(str(url))


def _url(argument: str, value: object) -> URL:
    """Return an http(s) URL with a host, as the transport reads it. The message does not repeat what may be secret."""
    if not isinstance(value, str):
        raise _refused(argument, f"must be a str, not {type(value).__name__}")
    try:
        url = URL(value)
        host = url.raw_host or ""
        host.encode("idna")  # the resolver does, in the middle of a call
        if host.rstrip(".").rpartition(".")[2].isdigit():
            ipaddress.IPv4Address(host)
    except ValueError:
        host, url = "", URL()
    if not host or not url.port or url.scheme not in {"http", "https"} or not _is_visible_ascii(value):
        raise _refused(argument, "must be an http:// or https:// URL with a host")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() in {"localhost", "localhost."}


def checked_ssl_context(value: object, connector: object) -> ssl.SSLContext | None:
    """Return the TLS settings; None for aiohttp's, or for those of a borrowed connector.

    aiohttp read SSL_CERT_FILE and SSL_CERT_DIR when it was imported. They are read again for each client.
    """
    if value is not None and connector is not None:
        reason = "and ssl_context cannot be used together: give the connector its own context"
        raise _refused("connector", reason)
    if value is not None and not isinstance(value, ssl.SSLContext):
        raise _refused("ssl_context", f"must be an ssl.SSLContext, not {type(value).__name__}")
    files = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if value is not None or connector is not None or not any(files):
        return value
    return _context_of(*files, Path(files[0]).stat().st_mtime if files[0] and Path(files[0]).exists() else None)


@functools.lru_cache(maxsize=4)
def _context_of(*_: object) -> ssl.SSLContext:
    """Return TLS settings made from the environment as it is now: reading certificates takes 10 to 50 ms."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def headers_from(environ: Mapping[str, str], argument: object) -> object:
    """Return the argument; if it is None, the value of the environment's JSON, or None if that is not JSON."""
    text = environ.get("PINECONE_ADDITIONAL_HEADERS")
    if argument is not None or not text:
        return {} if argument is None else argument
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def checked_headers(value: object) -> dict[str, str]:
    """Return additional headers from a mapping."""
    if not isinstance(value, Mapping):
        where = "(in PINECONE_ADDITIONAL_HEADERS a JSON object of strings)"
        raise _refused("additional_headers", f"must be a mapping of str to str {where}")
    headers = dict(cast("Mapping[Any, Any]", value))
    for name, text in headers.items():
        reason = _header_complaint(name, text)
        if reason is not None:
            raise _refused("additional_headers", reason)
    return headers


def _header_complaint(name: object, value: object) -> str | None:
    if not isinstance(name, str) or not isinstance(value, str):
        return "must be a mapping of str to str"
    if not _HEADER_NAME.fullmatch(name):
        return "has a name that is not an HTTP token"
    if _OUR_HEADERS.fullmatch(name):
        return f"must not set {name}: that header is the client's own"
    if not value.isprintable() or not value.isascii():
        return f"has a value for {name} that is not printable ASCII"
    return None
