"""Name resolution in threads that nothing waits for. Knows sockets and threads; knows no aiohttp.

An event loop looks names up in threads of its own, and waits for these when it ends; so does the process. A name server
that does not answer would hold both for as long as the system's resolver tries, whatever was cancelled or closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Lookups"]


class Lookups:
    """The two lookups that a resolver asks an event loop for; each in a daemon thread of its own."""

    async def getaddrinfo(self, *arguments: Any, **options: Any) -> Any:
        """Do what `loop.getaddrinfo` does."""
        return await _in_daemon_thread(lambda: socket.getaddrinfo(*arguments, **options))

    async def getnameinfo(self, *arguments: Any) -> Any:
        """Do what `loop.getnameinfo` does."""
        return await _in_daemon_thread(lambda: socket.getnameinfo(*arguments))


async def _in_daemon_thread(function: Callable[[], Any]) -> Any:
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Any] = loop.create_future()

    def settle(setter: Callable[[Any], None], value: Any) -> None:
        if not outcome.done():  # or it was cancelled meanwhile
            setter(value)

    def run() -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            try:
                loop.call_soon_threadsafe(settle, outcome.set_result, function())
            except (OSError, UnicodeError) as error:
                loop.call_soon_threadsafe(settle, outcome.set_exception, error)

    threading.Thread(target=run, name="pinecone-backups-lookup", daemon=True).start()
    return await outcome
