"""Arguments and environment to checked values. Knows what is allowed and says so; knows no loop and sends nothing.

A value that may be secret never stands in a local variable of a frame that raises: it is wrapped first, and its
checks return their complaint.
"""

from __future__ import annotations

import ipaddress
import json
import re
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar, cast
from urllib.parse import SplitResult, urlsplit

from ._errors import ConfigurationError

__all__ = [
    "Secret",
    "checked_api_key",
    "checked_base_url",
    "checked_headers",
    "checked_proxy",
    "checked_ssl_context",
    "headers_from",
    "text_from",
]

MAX_KEY_LENGTH: Final = 512
_DEFAULT_URL: Final = "https://api.pinecone.io"
_HOST: Final = re.compile(r"(?!.{254})[0-9A-Za-z_-]{1,63}(\.[0-9A-Za-z_-]{1,63})*\.?")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OUR_HEADERS: Final = frozenset(
    {
        "api-key",
        "x-pinecone-api-version",
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "cookie",
        "accept-encoding",
    }
)
_T_co = TypeVar("_T_co", covariant=True)


class Secret(Generic[_T_co]):
    """Hold a value that no repr, vars or pickle shows; `reveal()` returns it."""

    __slots__ = ("reveal",)

    def __init__(self, value: _T_co) -> None:
        self.reveal: Callable[[], _T_co] = lambda: value

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a secret cannot be pickled")


def text_from(environ: Mapping[str, str], name: str, argument: _T_co | None) -> _T_co | str | None:
    """Return the argument, or where it is None the environment's value, or None where that is absent or empty."""
    return argument if argument is not None else environ.get(name) or None


def checked_api_key(secret: Secret[object]) -> Secret[str]:
    """Return the key, which must be printable ASCII without spaces, at most 512 characters."""
    complaint = _key_complaint(secret)
    if complaint is not None:
        raise ConfigurationError(f"api_key {complaint}")
    return secret  # type: ignore[return-value]


def _key_complaint(secret: Secret[object]) -> str | None:
    key = secret.reveal()
    if key is None:
        return "is missing: pass api_key=... or set PINECONE_API_KEY"
    if not isinstance(key, str):
        return f"must be a str, not {type(key).__name__}"
    if not key or len(key) > MAX_KEY_LENGTH:
        return f"must have 1 to {MAX_KEY_LENGTH} characters"
    if not all("!" <= character <= "~" for character in key):
        return "must be printable ASCII without spaces"
    return None


def checked_base_url(value: object) -> str:
    """Return the URL that `/backups` is appended to: https, or http to loopback; a bare host gets https://."""
    if value is None:
        return _DEFAULT_URL
    if not isinstance(value, str):
        raise ConfigurationError(f"base_url must be a str, not {type(value).__name__}")
    url = value if "://" in value else f"https://{value}"
    parts = _split("base_url", url)
    if parts.username is not None or parts.query or parts.fragment or "?" in url or "#" in url:
        raise ConfigurationError("base_url must not hold user information, a query or a fragment")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ConfigurationError("base_url must be https: plain http is for loopback addresses only")
    # Spelled as the transport compares origins: the key goes to this one alone.
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in {None, 443 if parts.scheme == "https" else 80} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def checked_proxy(secret: Secret[object], base_url: str) -> None:
    """Check the URL of the proxy: http or https, user information allowed; only for an https base_url."""
    complaint = _proxy_complaint(secret)
    if complaint is None and secret.reveal() is not None and base_url.startswith("http:"):
        complaint = "needs an https base_url: over plain http the proxy would see the key"
    if complaint is not None:
        raise ConfigurationError(f"proxy {complaint}")


def _proxy_complaint(secret: Secret[object]) -> str | None:
    proxy = secret.reveal()
    if proxy is None:
        return None
    if not isinstance(proxy, str):
        return f"must be a str, not {type(proxy).__name__}"
    try:
        _split("proxy", proxy)
    except ConfigurationError:
        return "must be an http:// or https:// URL with a host"
    return None


def _split(name: str, url: str) -> SplitResult:
    """Split an http(s) URL with a host; the complaint does not repeat it, since it may hold a password."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and _is_host(parts) and (parts.port is None or parts.port > 0)
    except ValueError:
        parts, valid = SplitResult("", "", "", "", ""), False
    if not valid or not all("!" <= character <= "~" for character in url) or "\\" in url:
        raise ConfigurationError(f"{name} must be an http:// or https:// URL with a host")
    return parts


def _is_host(parts: SplitResult) -> bool:
    """Say whether a URL names a host: labels of 1 to 63 characters, or an IP address; ValueError where that is none."""
    host, place = parts.hostname or "", parts.netloc.rpartition("@")[2]
    if place.startswith("["):
        return ipaddress.ip_address(host).version == 6 and re.fullmatch(r"\[[^]]*\](:[0-9]*)?", place) is not None
    if host.rstrip(".").rpartition(".")[2].isdigit():
        return ipaddress.ip_address(host).version == 4
    return _HOST.fullmatch(host) is not None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() in {"localhost", "localhost."}


def checked_ssl_context(value: object, connector: object) -> ssl.SSLContext | None:
    """Return the TLS settings, or None for the system's, or the connector's where one is borrowed."""
    if value is not None and connector is not None:
        raise ConfigurationError("connector and ssl_context exclude each other: give the connector its own context")
    if value is not None and not isinstance(value, ssl.SSLContext):
        raise ConfigurationError(f"ssl_context must be an ssl.SSLContext, not {type(value).__name__}")
    return value


def headers_from(environ: Mapping[str, str], argument: object) -> Secret[object]:
    """Return the argument, or where it is None what the environment's JSON holds: None, if it is no JSON."""
    text = environ.get("PINECONE_ADDITIONAL_HEADERS")
    if argument is not None or not text:
        return Secret({} if argument is None else argument)
    try:
        return Secret(json.loads(text))
    except (ValueError, RecursionError):
        return Secret(None)


def checked_headers(secret: Secret[object]) -> Mapping[str, str]:
    """Return additional headers from a mapping."""
    outcome = _headers_or_complaint(secret)
    if isinstance(outcome, str):
        raise ConfigurationError(f"additional_headers {outcome}")
    return outcome


def _headers_or_complaint(secret: Secret[object]) -> dict[str, str] | str:
    value: Any = secret.reveal()
    if not isinstance(value, Mapping):
        return "must be a mapping of str to str (in PINECONE_ADDITIONAL_HEADERS a JSON object of strings)"
    headers = dict(cast("Mapping[Any, Any]", value))
    return next((c for c in map(_header_complaint, headers, headers.values()) if c is not None), headers)


def _header_complaint(name: object, value: object) -> str | None:
    if not isinstance(name, str) or not isinstance(value, str):
        return "must be a mapping of str to str"
    if not _HEADER_NAME.fullmatch(name):
        return "has a name that is not an HTTP token"
    if name.lower() in _OUR_HEADERS:
        return f"must not set {name}: that header is the client's own"
    if not value.isprintable() or not value.isascii():
        return f"has a value for {name} that is not printable ASCII"
    return None
