"""Arguments and environment to checked values. Knows what is allowed and says so; knows no loop and sends nothing.

An environment variable counts where no argument is given; an empty one is an absent one. No message repeats a value
that may be secret. The variables of these functions are dropped by the wall of the caller.
"""

import ipaddress
import json
import os
import re
import ssl
from typing import Final

from yarl import URL

from ._arguments import refused, texts

MAX_KEY_LENGTH: Final = 512
_DEFAULT_URL: Final = "https://api.pinecone.io"
_KEY: Final = re.compile(rf"""(?!(["'`]).*\1$)[!-~]{{1,{MAX_KEY_LENGTH}}}""")
_VISIBLE_ASCII: Final = re.compile("[!-~]+")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OUR_HEADERS: Final = re.compile(
    r"(?i)api-key|x-pinecone-api-version|host|connection|cookie|expect|content-length|(accept|content|transfer)-encoding"
)
_LOOPBACK: Final = re.compile(r"localhost\.?|127(\.\d+){3}|::1")  # a host that ends in a number is an address


def checked_api_key(argument: object) -> str:
    """Return the key, which must be printable ASCII without spaces, at most 512 characters, and not in quotes."""
    key = argument if argument is not None else os.environ.get("PINECONE_API_KEY") or None
    if key is None:
        raise refused("api_key", "is missing: pass api_key=... or set PINECONE_API_KEY")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        allowed = f"without spaces or quotation marks around it, of at most {MAX_KEY_LENGTH} characters"
        raise refused("api_key", f"must be printable ASCII {allowed}")
    return key


def checked_base_url(argument: object) -> str:
    """Return the URL that paths are appended to: https, or http to loopback; a bare host gets https://."""
    value = argument if argument is not None else os.environ.get("PINECONE_CONTROLLER_HOST") or _DEFAULT_URL
    url = _url("base_url", f"https://{value}" if isinstance(value, str) and "://" not in value else value)
    if url.raw_user is not None or url.raw_password is not None or {"?", "#"} & set(str(value)):
        raise refused("base_url", "must not contain user information, a query or a fragment")
    if url.scheme == "http" and not _LOOPBACK.fullmatch(url.raw_host or ""):
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
    try:
        url = URL(value) if isinstance(value, str) and _VISIBLE_ASCII.fullmatch(value) else URL()
        host = url.raw_host or ""
        host.encode("idna")  # the resolver does, in the middle of a call, and the transport reads numbers as an address
        if host.rstrip(".").rpartition(".")[2].isdigit():
            ipaddress.IPv4Address(host)
    except ValueError:
        url = URL()
    if not url.raw_host or not url.port or url.scheme not in {"http", "https"}:
        raise refused(argument, "must be an http:// or https:// URL with a host")
    return url


def checked_ssl_context(value: object, connector: object) -> ssl.SSLContext | None:
    """Return the TLS settings; None for aiohttp's, or for those of a borrowed connector.

    aiohttp read SSL_CERT_FILE and SSL_CERT_DIR when it was imported. They are read again for each client.
    """
    if value is not None and connector is not None:
        raise refused("connector", "and ssl_context cannot be used together: give the connector its own context")
    if value is not None and not isinstance(value, ssl.SSLContext):
        raise refused("ssl_context", "must be an ssl.SSLContext")
    if value is None and connector is None and any(map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR"))):
        return ssl.create_default_context()
    return value


def checked_headers(argument: object) -> dict[str, str]:
    """Return additional headers from a mapping, or from the JSON of the environment."""
    value = argument
    if argument is None:
        try:
            value = json.loads(os.environ.get("PINECONE_ADDITIONAL_HEADERS") or "{}")
        except (ValueError, RecursionError):
            rule = "must be a mapping of str to str, in PINECONE_ADDITIONAL_HEADERS a JSON object"
            raise refused("additional_headers", rule) from None
    headers = texts("additional_headers", value)
    for name, text in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not text.isprintable() or not text.isascii():
            raise refused("additional_headers", "must have HTTP tokens as names, and values of printable ASCII")
        if _OUR_HEADERS.fullmatch(name):
            raise refused("additional_headers", f"must not set {name}: that header is the client's own")
    return headers
