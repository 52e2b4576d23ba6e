"""From the options and the environment to a client and its loop. Imports the client when it is needed."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import re
import signal
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Final
from urllib.request import getproxies_environment, proxy_bypass

from pinecone_backups_async import ConfigurationError, TransportTimeoutError

from ._options import Connection
from ._streams import print_stderr

if TYPE_CHECKING:
    from pinecone_backups_async import BackupsClient

__all__ = ["NO_API_KEY", "host_of", "opened_client", "within"]

NO_API_KEY: Final = (
    "there is no --api-key: an argument is visible in the shell's history and in the list of processes; "
    "set PINECONE_API_KEY"
)
_DEMO_BACKUPS: Final = 24
_SERVICE: Final = "https://api.pinecone.io"


@contextlib.asynccontextmanager
async def within(limit: dt.timedelta | None, what: str) -> AsyncGenerator[None]:
    """Raise TransportTimeoutError if the block takes longer than that, if there is a limit."""
    timeout = asyncio.timeout(None if limit is None else limit.total_seconds())
    try:
        async with timeout:
            yield
    except TimeoutError:
        if not timeout.expired():
            raise
        raise TransportTimeoutError(f"{what} did not end within {limit} (--timeout)") from None


@contextlib.asynccontextmanager
async def opened_client(connection: Connection) -> AsyncGenerator[BackupsClient]:
    """Open the client that the environment describes, or one for the demonstration project."""
    if connection.api_key is not None:
        raise ConfigurationError(NO_API_KEY, argument="api_key")
    loop = asyncio.get_running_loop()
    _wake_often(loop)
    _heed_sigterm(loop)
    if connection.demo:
        async with _demo_client() as client:
            yield client
        return
    _check_key()
    async with _service_client(connection) as client:
        yield client


def _wake_often(loop: asyncio.AbstractEventLoop) -> None:
    """Wake the loop twice a second: a Ctrl-C that arrives just before it begins to wait is seen when it wakes."""
    loop.call_later(0.5, _wake_often, loop)


def _heed_sigterm(loop: asyncio.AbstractEventLoop) -> None:
    """Let SIGTERM cancel the command, as Ctrl-C does: a write that is under way is told, and connections are closed."""
    task: Any = asyncio.current_task()
    with contextlib.suppress(NotImplementedError, RuntimeError):  # on Windows; outside of the main thread
        if signal.getsignal(signal.SIGTERM) is not signal.SIG_IGN:
            loop.add_signal_handler(signal.SIGTERM, task.cancel)


def _check_key() -> None:
    complaint = None
    if not os.environ.get("PINECONE_API_KEY"):
        complaint = "is not set; --demo shows a demonstration project without a key"
    elif re.fullmatch("(['\"]).*\\1", os.environ["PINECONE_API_KEY"]):
        complaint = "begins and ends with a quote: set it without quotes"
    if complaint is not None:
        raise ConfigurationError(f"PINECONE_API_KEY {complaint}", argument="api_key")


@contextlib.asynccontextmanager
async def _demo_client() -> AsyncGenerator[BackupsClient]:
    from pinecone_backups_async import BackupsClient  # noqa: PLC0415 - it imports aiohttp
    from pinecone_backups_async.testing import FakePinecone  # noqa: PLC0415 - likewise

    print_stderr("pinecone-backups: --demo: a made-up project on a local server, not yours")
    async with (
        FakePinecone(backups=_DEMO_BACKUPS) as fake,
        BackupsClient(fake.api_key, base_url=fake.url, additional_headers={}) as client,
    ):
        yield client


def _service_client(connection: Connection) -> BackupsClient:
    from pinecone_backups_async import BackupsClient  # noqa: PLC0415 - it imports aiohttp

    source, proxy = _proxy(connection)
    try:
        return BackupsClient(proxy=proxy)
    except ConfigurationError as error:
        if error.argument != "proxy":
            raise
        raise ConfigurationError(str(error).replace("proxy", source, 1), argument=source) from None


def host_of(connection: Connection) -> str:
    """Return the host that requests go to, for messages."""
    return "the local server" if connection.demo else _address()[1]


def _address() -> tuple[str, str]:
    """Return the scheme and the host, with the port if there is one; the client judges the URL."""
    url = os.environ.get("PINECONE_CONTROLLER_HOST") or _SERVICE
    scheme, found, rest = url.rpartition("://")
    return scheme if found else "https", re.split("[/?#]", rest)[0].rpartition("@")[2]


def _proxy(connection: Connection) -> tuple[str, str | None]:
    """Return where the proxy was named, and its URL."""
    if connection.proxy is not None:
        return "--proxy", connection.proxy
    name = "https_proxy" if os.environ.get("https_proxy") else "HTTPS_PROXY"
    scheme, host = _address()
    url = getproxies_environment().get("https")
    if url is None or scheme != "https" or proxy_bypass(host):
        return name, None
    return name, url if "://" in url else f"http://{url}"
