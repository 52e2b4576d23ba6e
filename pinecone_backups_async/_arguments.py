"""Arguments, settings and the environment to checked values, before any request; RetryPolicy. Knows no loop.

Each check names the argument and what is allowed. No message repeats a value, as it may be secret. An environment
variable counts where no argument is given; an empty one is an absent one. The variables of these functions are dropped
by the wall of the caller.
"""

import functools
import ipaddress
import json
import os
import random
import re
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeGuard, TypeVar, cast

import attrs
from yarl import URL

from ._errors import ConfigurationError

MAX_LIMIT: Final = 100
MAX_TOKEN_BYTES: Final = 8192
MAX_SEGMENT: Final = 512
MAX_INDEX_NAME: Final = 45
MAX_KEY_LENGTH: Final = 512
_DEFAULT_URL: Final = "https://api.pinecone.io"
# Patterns are compiled at their first use, so that an import does not wait for them.
_KEY: Final = rf"""(?!(["'`]).*\1$)[!-~]{{1,{MAX_KEY_LENGTH}}}"""
_HEADER_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_OUR_HEADERS: Final = (
    r"(?i)api-key|x-pinecone-api-version|host|connection|cookie|expect|content-length"
    r"|(accept|content|transfer)-encoding"
)
_T = TypeVar("_T")


def refused(argument: str, rule: str) -> ConfigurationError:
    """Return the error for an argument that breaks a rule, such as `must be a str`."""
    return ConfigurationError(f"{argument} {rule}", argument=argument)


def _is_text(value: object) -> TypeGuard[str]:
    """Return whether UTF-8 can carry a value: a str without lone surrogates."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def seconds(name: str, value: object) -> float:
    """Return a positive, finite number of seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= sys.float_info.max:
        raise refused(name, "must be a positive, finite number of seconds")
    return float(value)


def count(name: str, value: object, *, least: int, most: int | None = None) -> int:
    """Return an int from `least` to `most`; a bool is not one."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        allowed = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise refused(name, f"must be an int {allowed}")
    return int(value)


def page_size(limit: object, max_items: int | None = None) -> int:
    """Return how large a page to ask for: `limit`, 1 to 100, or 100 for None; but not more than `max_items`."""
    size = MAX_LIMIT if limit is None else count("limit", limit, least=1, most=MAX_LIMIT)
    return size if max_items is None else max(1, min(size, count("max_items", max_items, least=0)))


def token(value: object) -> str | None:
    """Return the pagination token, or None."""
    if value is None or (_is_text(value) and 0 < len(value.encode()) <= MAX_TOKEN_BYTES):
        return value
    raise refused("pagination_token", f"must have 1 to {MAX_TOKEN_BYTES} bytes of text in UTF-8")


def segment(name: str, value: object) -> str:
    """Return a part of a URL's path: text of 1 to 512 characters, neither `.` nor `..`."""
    if _is_text(value) and 1 <= len(value) <= MAX_SEGMENT and value not in {".", ".."}:
        return value
    raise refused(name, f"must be a str of 1 to {MAX_SEGMENT} characters, and neither . nor ..")


def text(name: str, value: object) -> str | None:
    """Return a text that UTF-8 can carry, or None."""
    if value is None or _is_text(value):
        return value
    raise refused(name, "must be a str without lone surrogates, or None")


def new_index_name(value: object) -> str:
    """Return the name of an index that is to be created."""
    if isinstance(value, str) and re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?", value):
        return value
    allowed = f"1 to {MAX_INDEX_NAME} of a-z, 0-9 and -, and begin and end with a letter or digit"
    raise refused("name", f"must have {allowed}")


def texts(name: str, value: object) -> dict[str, str]:
    """Return a mapping of str to str as a dict."""
    pairs: dict[Any, Any] = dict(cast("Mapping[Any, Any]", value)) if isinstance(value, Mapping) else {None: None}
    if not all(_is_text(text) for pair in pairs.items() for text in pair):
        raise refused(name, "must be a mapping of str to str")
    return pairs


def choice(name: str, value: _T, allowed: Sequence[_T]) -> _T:
    """Return one of the allowed values."""
    if value not in allowed:
        raise refused(name, f"must be one of {', '.join(map(str, allowed))}")
    return value


def api_key(argument: object) -> str:
    """Return the key, which must be printable ASCII without spaces, at most 512 characters, and not in quotes."""
    key = argument if argument is not None else os.environ.get("PINECONE_API_KEY") or None
    if key is None:
        raise refused("api_key", "is missing: pass api_key=... or set PINECONE_API_KEY")
    if not isinstance(key, str) or not re.fullmatch(_KEY, key):
        allowed = f"without spaces or quotation marks around it, of at most {MAX_KEY_LENGTH} characters"
        raise refused("api_key", f"must be printable ASCII {allowed}")
    return key


def base_url(argument: object) -> str:
    """Return the URL that paths are appended to: https, or http to loopback; a bare host gets https://."""
    value = argument if argument is not None else os.environ.get("PINECONE_CONTROLLER_HOST") or _DEFAULT_URL
    url = _url("base_url", f"https://{value}" if isinstance(value, str) and "://" not in value else value)
    if url.raw_user is not None or url.raw_password is not None or {"?", "#"} & set(str(value)):
        raise refused("base_url", "must not contain user information, a query or a fragment")
    # A host that ends in a number is an address.
    if url.scheme == "http" and not re.fullmatch(r"localhost\.?|127(\.\d+){3}|::1", url.raw_host or ""):
        raise refused("base_url", "must be https: plain http is for loopback addresses only")
    return f"{url.origin()}{url.raw_path.rstrip('/')}"  # as the transport spells it: the key goes to this origin alone


def proxy(value: object, base_url: str) -> str | None:
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
        url = URL(str(URL(value))) if isinstance(value, str) and re.fullmatch("[!-~]+", value) else URL()
        host = url.raw_host or ""
        host.encode("idna")  # the resolver does, in the middle of a call, and the transport reads numbers as an address
        if host.rstrip(".").rpartition(".")[2].isdigit():
            ipaddress.IPv4Address(host)
    except (ValueError, IndexError):  # yarl raises both
        url = URL()
    if not url.raw_host or not url.port or url.scheme not in {"http", "https"}:
        raise refused(argument, "must be an http:// or https:// URL with a host")
    return url


def ssl_context(value: object, connector: object) -> ssl.SSLContext | None:
    """Return the TLS settings; None for aiohttp's, or for those of a borrowed connector.

    aiohttp read SSL_CERT_FILE and SSL_CERT_DIR when it was imported. A client reads them again if they have changed.
    """
    if value is not None and connector is not None:
        raise refused("connector", "and ssl_context cannot be used together: give the connector its own context")
    if value is not None and not isinstance(value, ssl.SSLContext):
        raise refused("ssl_context", "must be an ssl.SSLContext")
    files = [os.environ.get(name) or "" for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")]
    if value is None and connector is None and any(files):
        # Path.is_file raises for a path that is too long, or in a closed folder; OpenSSL passes over both.
        return _context_of(*files, *(os.stat(file).st_mtime for file in files if os.path.isfile(file)))  # noqa: PTH113, PTH116
    return value


@functools.lru_cache(maxsize=4)
def _context_of(*_: object) -> ssl.SSLContext:
    """Return TLS settings from the environment as it is now: reading certificates takes 10 to 50 ms."""
    return ssl.create_default_context()


def headers(argument: object) -> dict[str, str]:
    """Return additional headers from a mapping, or from the JSON of the environment."""
    try:
        value = json.loads(os.environ.get("PINECONE_ADDITIONAL_HEADERS") or "{}") if argument is None else argument
    except (ValueError, RecursionError):
        raise refused("additional_headers", "must be a mapping of str to str, in the environment as JSON") from None
    headers = texts("additional_headers", value)
    for name, text in headers.items():
        if not re.fullmatch(_HEADER_NAME, name) or not text.isprintable() or not text.isascii():
            raise refused("additional_headers", "must have HTTP tokens as names, and values of printable ASCII")
        if re.fullmatch(_OUR_HEADERS, name):
            raise refused("additional_headers", f"must not set {name}: that header is the client's own")
    return headers


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often a request is sent again, and how long the client waits before that.

    - `attempts`: how many requests a call may send, the first one included.
    - `base_delay`, `max_delay`: in seconds. The wait before the n-th retry is random, from 0 to
      min(`max_delay`, `base_delay` * 2^(n-1)), and is never shorter than a Retry-After.
    - `quota`: the retry budget of a client. A retry costs 5, or 10 after a timeout; successes pay it back.
    - `sleep`: for tests: an async callable that takes seconds. None: the client waits by itself, and closing it ends
      the wait.
    - `random`: for tests: a callable that returns a float from 0 to 1.
    - `clock`: for tests: a callable that returns seconds and never goes back.

    Raises ConfigurationError for a value that is not allowed.
    """

    attempts: int = 4
    base_delay: float = 0.5
    max_delay: float = 8.0
    quota: int = 500
    sleep: Callable[[float], Awaitable[None]] | None = attrs.field(default=None, repr=False, eq=False)
    # The system's: nobody else seeds it, and processes that were forked from one do not draw alike.
    random: Callable[[], float] = attrs.field(default=random.SystemRandom().random, repr=False, eq=False)
    clock: Callable[[], float] = attrs.field(default=time.monotonic, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        count("attempts", self.attempts, least=1)
        count("quota", self.quota, least=0)
        seconds("base_delay", self.base_delay)
        seconds("max_delay", self.max_delay)
        for name, hook in {"sleep": self.sleep or time.sleep, "random": self.random, "clock": self.clock}.items():
            if not callable(hook):
                raise refused(name, f"must be callable, not {type(hook).__name__}")

    def delay(self, retry: int) -> float:
        """Return the seconds to wait before the n-th retry, drawn from 0 to its longest wait.

        Raises ConfigurationError if `random` returns anything but a number from 0 to 1.
        """
        return self.draw() * min(self.max_delay, self.base_delay * 2.0 ** min(retry - 1, 64))

    def draw(self) -> float:
        """Return a random number from 0 to 1; raise ConfigurationError if `random` returns anything else."""
        number = cast("object", self.random())
        if not isinstance(number, int | float) or not 0 <= number <= 1:
            raise refused("random", f"must return a number from 0 to 1, not {number!r}")
        return float(number)


def policy(value: object) -> RetryPolicy:
    """Return the policy, or the default one for None."""
    if value is not None and not isinstance(value, RetryPolicy):
        raise refused("retry", "must be a RetryPolicy such as RetryPolicy(attempts=3)")
    return value or RetryPolicy()
