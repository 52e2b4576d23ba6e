"""Arguments and environment to checked values. Knows what is allowed and says so; knows no loop and sends nothing.

No message repeats a value that may be secret. The variables of these functions are dropped by the wall of the caller.
"""

import functools
import ipaddress
import json
import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from yarl import URL

from ._arguments import refused

MAX_KEY_LENGTH: Final = 512
_DEFAULT_URL: Final = "https://api.pinecone.io"
_VISIBLE_ASCII: Final = re.compile("[!-~]+")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OUR_HEADERS: Final = re.compile(
    "api-key|x-pinecone-api-version|host|content-(length|encoding)|transfer-encoding|connection|cookie|accept-encoding|expect",
    re.IGNORECASE,
)


def _given(argument: object, name: str) -> object:
    """Return the argument; if it is None, the environment's value; if that is absent or empty, None."""
    return argument if argument is not None else os.environ.get(name) or None


def checked_api_key(argument: object) -> str:
    """Return the key, which must be printable ASCII without spaces, at most 512 characters, and not in quotes."""
    key = _given(argument, "PINECONE_API_KEY")
    if key is None:
        raise refused("api_key", "is missing: pass api_key=... or set PINECONE_API_KEY")
    if not isinstance(key, str):
        raise refused("api_key", f"must be a str, not {type(key).__name__}")
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        raise refused("api_key", f"must have 1 to {MAX_KEY_LENGTH} characters")
    if not _VISIBLE_ASCII.fullmatch(key):
        raise refused("api_key", "must be printable ASCII without spaces")
    if len(key) > 1 and key[0] == key[-1] and key[0] in "\"'`":
        raise refused("api_key", "must not be in quotes: remove the quotation marks around it")
    return key


def checked_base_url(argument: object) -> str:
    """Return the URL that paths are appended to: https, or http to loopback; a bare host gets https://."""
    value = _given(argument, "PINECONE_CONTROLLER_HOST")
    if value is None:
        return _DEFAULT_URL
    text = f"https://{value}" if isinstance(value, str) and "://" not in value else value
    url = _url("base_url", text)
    if url.raw_user is not None or url.raw_password is not None or "?" in str(text) or "#" in str(text):
        raise refused("base_url", "must not contain user information, a query or a fragment")
    if url.scheme == "http" and not _is_loopback(url.raw_host or ""):
        raise refused("base_url", "must be https: plain http is for loopback addresses only")
    return f"{url.origin()}{url.raw_path.rstrip('/')}"  # as the transport spells it: the key goes to this origin alone


def checked_proxy(value: object, base_url: str) -> str | None:
    """Return the URL of the proxy: http or https, user information allowed; only for an https base_url."""
    if value is None:
        return None
    url = _url("proxy", value)
    if base_url.startswith("http:"):
        raise refused("proxy", "needs an https base_url: over plain http the proxy would see the key")
    user, password = url.user or "", url.password or ""
    if ":" in user or max(user + password, default="") > "\xff":  # aiohttp would fail, in the middle of a call
        raise refused("proxy", "must have a user without a colon, and both user and password in Latin-1")
    return str(url)


def _url(argument: str, value: object) -> URL:
    """Return an http(s) URL with a host, as the transport reads it. The message does not repeat what may be secret."""
    if not isinstance(value, str):
        raise refused(argument, f"must be a str, not {type(value).__name__}")
    try:
        url = URL(value)
        host = url.raw_host or ""
        host.encode("idna")  # the resolver does, in the middle of a call
        if host.rstrip(".").rpartition(".")[2].isdigit():
            ipaddress.IPv4Address(host)
    except ValueError:
        host, url = "", URL()
    if not host or not url.port or url.scheme not in {"http", "https"} or not _VISIBLE_ASCII.fullmatch(value):
        raise refused(argument, "must be an http:// or https:// URL with a host")
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
        raise refused("connector", reason)
    if value is not None and not isinstance(value, ssl.SSLContext):
        raise refused("ssl_context", f"must be an ssl.SSLContext, not {type(value).__name__}")
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


def checked_headers(argument: object) -> dict[str, str]:
    """Return additional headers from a mapping, or from the JSON of the environment."""
    value = argument
    if argument is None:
        try:
            value = json.loads(os.environ.get("PINECONE_ADDITIONAL_HEADERS") or "{}")
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, Mapping):
        where = "(in PINECONE_ADDITIONAL_HEADERS a JSON object of strings)"
        raise refused("additional_headers", f"must be a mapping of str to str {where}")
    headers = dict(cast("Mapping[Any, Any]", value))
    for name, text in headers.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise refused("additional_headers", "must be a mapping of str to str")
        if not _HEADER_NAME.fullmatch(name):
            raise refused("additional_headers", "has a name that is not an HTTP token")
        if _OUR_HEADERS.fullmatch(name):
            raise refused("additional_headers", f"must not set {name}: that header is the client's own")
        if not text.isprintable() or not text.isascii():
            raise refused("additional_headers", f"has a value for {name} that is not printable ASCII")
    return headers
