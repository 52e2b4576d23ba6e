"""What belongs to an event loop: the lifetime of a session, and lookups of host names that nothing waits for.

Knows loops, processes, threads and the resolver; knows no HTTP.

Theory of operation
-------------------
A session cannot close itself when its loop ends, because closing needs an await. So each session has an async
generator, which closes the session when it is closed itself. asyncio.run closes all open async generators before it
closes the loop, and so it closes the session. A loop may also be closed by `loop.close()` alone. Then nothing is left
to wait for, and the session is closed by the next call, or when the client is collected.

In a forked process the session is the parent's. Using it would mix two processes' bytes on one socket. Closing it, or
letting it be collected, would unregister its sockets from the selector that the parent shares. So it is kept as it is.

An event loop looks names up in threads of its own, and waits for these when it ends; so does the process. A name server
that does not answer would hold both for as long as the system's resolver tries, whatever was cancelled or closed.
"""

import asyncio
import concurrent.futures
import contextlib
import os
import socket
import threading
from collections.abc import AsyncGenerator, Callable
from functools import partial
from types import SimpleNamespace
from typing import Any


class LoopSession:
    """The session of one event loop in one process. It ends with the loop at the latest."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._loop = asyncio.get_running_loop()
        self._pid = os.getpid()
        #: The limits of the attempts under way, and what their waits wait for: `close` ends both.
        self.limits: set[asyncio.Timeout] = set()
        self.closing: asyncio.Future[None] = self._loop.create_future()
        self.http = make()
        self._lifetime = _until_closed(self.http)
        with contextlib.suppress(StopIteration):  # it runs to its yield, and waits for nothing
            self._lifetime.asend(None).send(None)

    def is_usable(self) -> bool:
        """Return whether this session can serve the running loop. If its loop or process has ended, give it up.

        Raise RuntimeError if another event loop runs while that of the session lives.
        """
        if self._pid != os.getpid() or self._loop.is_closed():
            self.give_up()
            return False
        running = asyncio.get_running_loop()
        if running is not self._loop:
            loops = f"event loop {id(self._loop):#x} and cannot serve {id(running):#x}"
            raise RuntimeError(f"this client serves {loops}: use a client for each")
        return True

    async def close(self) -> None:
        """End the attempts and waits under way, then close the session."""
        self.closing.set_result(None)
        for limit in self.limits:
            with contextlib.suppress(RuntimeError):  # it has just expired
                limit.reschedule(0)
        try:
            await asyncio.sleep(0)  # the limits end what waits, before aiohttp would cancel it
        finally:
            await self._lifetime.aclose()

    def give_up(self) -> bool:
        """Close now if the loop was closed first; return whether a session of this process was open.

        In a forked process keep everything as it is.
        """
        if self._pid != os.getpid():
            import ctypes  # noqa: PLC0415 - only forked processes need it

            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))  # a list would be emptied when the process ends
            return False
        was_open = not self.http.closed
        if self._loop.is_closed():
            with contextlib.suppress(StopIteration):  # without its loop there is nothing to wait for
                self._lifetime.aclose().send(None)
        return was_open


async def _until_closed(session: Any) -> AsyncGenerator[None, None]:
    """Close the session when this generator is closed, by us or by the loop before it ends; not in a forked process."""
    pid = os.getpid()
    try:
        yield
    finally:
        if os.getpid() == pid:
            await session.close()


async def _look_up(function: str, *arguments: Any, **options: Any) -> Any:
    """Do what a function of `socket` does, in a daemon thread of its own."""
    outcome: concurrent.futures.Future[Any] = concurrent.futures.Future()
    outcome.set_running_or_notify_cancel()  # so that the thread may still settle it after a cancellation

    def run() -> None:
        try:
            outcome.set_result(getattr(socket, function)(*arguments, **options))
        except (OSError, UnicodeError) as error:
            outcome.set_exception(error)

    threading.Thread(target=run, name="pinecone-backups-lookup", daemon=True).start()
    return await asyncio.wrap_future(outcome)


#: The two lookups that a resolver asks an event loop for.
LOOKUPS: Any = SimpleNamespace(**{name: partial(_look_up, name) for name in ("getaddrinfo", "getnameinfo")})
