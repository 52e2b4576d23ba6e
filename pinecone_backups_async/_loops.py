"""What belongs to an event loop: the lifetime of a session, and lookups of names that nothing waits for.

Knows loops, processes, threads and the resolver; knows no HTTP.

Theory of operation
-------------------
A session cannot close itself when its loop ends: closing takes an await. So an async generator keeps it open, whose end
closes it. asyncio.run closes open async generators before it closes the loop, which is how the session closes with the
loop. A loop may also be closed without that (or without anything: `loop.close()` alone). Then nothing is left to wait
for, and the session is closed by the next call, or when the client is collected.

In a forked process the session is the parent's. Using it would mix two processes' bytes on one socket. Closing it, or
letting it be collected, would unregister its sockets from the selector that the parent shares. So it is kept as it is.

An event loop looks names up in threads of its own, and waits for these when it ends; so does the process. A name server
that does not answer would hold both for as long as the system's resolver tries, whatever was cancelled or closed.
"""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any


class LoopSession:
    """The session of one event loop in one process. It ends with the loop at the latest."""

    def __init__(self) -> None:
        self._session: Any = None
        self._loop = asyncio.get_running_loop()
        self._pid = os.getpid()
        self._lifetime: AsyncGenerator[None] | None = None

    async def start(self, make: Callable[[], Any]) -> Any:
        """Return the session, made and registered with the loop the first time.

        A signal handler may raise between any two of these lines: the next call continues there, and `close` closes.
        """
        if self._session is None:
            self._session = make()
        if self._lifetime is None:
            self._lifetime = _until_closed(self._session)
            await anext(self._lifetime)
        return self._session

    async def close(self) -> None:
        """Close the session."""
        if self._lifetime is not None:
            await self._lifetime.aclose()
        if self._session is not None:
            await self._session.close()

    def is_inherited(self) -> bool:
        """Return whether this is the session of a parent process."""
        return self._pid != os.getpid()

    def is_usable(self) -> bool:
        """Return whether this session can serve the running loop; raise RuntimeError as `check_loop` does."""
        if self.is_inherited():
            return False
        self.check_loop()
        return not self._loop.is_closed() and (self._session is None or not self._session.closed)

    def check_loop(self) -> None:
        """Raise RuntimeError if another event loop runs while that of the session lives."""
        running = asyncio.get_running_loop()
        if running is not self._loop and not self._loop.is_closed():
            loops = f"event loop {id(self._loop):#x} and cannot serve {id(running):#x}"
            raise RuntimeError(f"this client serves {loops}: use a client for each")

    def give_up(self) -> bool:
        """Close now if the loop was closed first; return whether a session of this process was open.

        In a forked process keep everything as it is.
        """
        if self.is_inherited():
            import ctypes  # noqa: PLC0415 - only forked processes need it

            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))  # a list would be emptied when the process ends
            return False
        was_open = self._session is not None and not self._session.closed
        if self._loop.is_closed():
            with contextlib.suppress(StopIteration):
                self.close().send(None)
        return was_open


async def _until_closed(session: Any) -> AsyncGenerator[None, None]:
    """Close the session when this generator is closed, by us or by the loop before it ends; not in a forked process."""
    pid = os.getpid()
    try:
        yield
    finally:
        if os.getpid() == pid:
            await session.close()


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
