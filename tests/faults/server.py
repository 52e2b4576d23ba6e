"""A server that can misbehave in every way: raw sockets on loopback, in a thread with an event loop of its own.

Its stalls are therefore not the client's. Knows sockets and the heads of requests; which fault it plays, and which
answer is healthy, it is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from typing import Any, Self

from .answers import Listing, Request, answer

__all__ = ["Behaviour", "Exchange", "FaultServer", "Script", "closed_port", "unanswering_port"]


class Exchange:
    """One request that wants an answer, and the connection to answer on. A behaviour does with it what it likes."""

    def __init__(
        self, server: FaultServer, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.request = request
        self._server = server
        self._reader = reader
        self._writer = writer

    @property
    def body(self) -> bytes:
        """The page that a healthy server would send now."""
        return self._server.listing.answer(self.request)

    async def send(self, data: bytes) -> None:
        """Send bytes; return when the system has taken all of them."""
        self._writer.write(data)
        await self._writer.drain()
        self._server.sent += len(data)

    def close(self) -> None:
        """End the connection properly: FIN, under TLS after close_notify."""
        self._writer.close()

    def cut(self) -> None:
        """End the connection with a FIN alone: under TLS there is no close_notify."""
        self._writer.transport.abort()

    def reset(self) -> None:
        """End the connection with a RST."""
        linger = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.transport.abort()

    async def client_gone(self) -> None:
        """Return when the client has closed the connection: for stalls."""
        with contextlib.suppress(ConnectionError):
            await self._reader.read()


Behaviour = Callable[[Exchange], Awaitable[None]]
Script = Iterable[Behaviour | None] | Callable[[Request], Behaviour | None]


async def healthy(exchange: Exchange) -> None:
    """Answer as the service does."""
    await exchange.send(answer(exchange.body))


class FaultServer:
    """Play a script of behaviours, one for each request in their order, then answer normally from a listing.

    `script` may be endless (`itertools.repeat(reset)` is a permanent fault); None in it is a normal answer; a callable
    is asked with each request instead. Use it with `async with`, or `with` where no loop runs. It records `requests`
    (what reached it in full), `connections` (accepted, also those whose TLS handshake failed), `handshakes_failed`,
    `open_connections` and `sent` (bytes that the system took). An exception that a behaviour raises, but for a
    connection that the client gave up, is raised again where the server ends.
    """

    def __init__(
        self,
        script: Script = (),
        *,
        listing: Listing | None = None,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
        send_buffer: int | None = None,
    ) -> None:
        self.listing = Listing() if listing is None else listing
        self.requests: list[Request] = []
        self.connections = self.open_connections = self.handshakes_failed = self.sent = 0
        self._script = script if callable(script) else _in_order(script)
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []
        self._listener = _listener(port, send_buffer)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http{'' if tls is None else 's'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name=f"fault server {self.port}")
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self._failures:
            raise self._failures[0]

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()

    def __repr__(self) -> str:
        return f"<FaultServer {self.url}, {len(self.requests)} requests>"

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._spawn(self._accept())
        self._ready.set()
        await self._stop.wait()
        while self._tasks:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        self._listener.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            self._failures.append(failure)

    async def _accept(self) -> None:
        while True:
            connection, _ = await self._loop.sock_accept(self._listener)
            self.connections += 1
            self._spawn(self._serve(connection, self.connections))

    async def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            async with self._streams(connection) as (reader, writer):
                nth = 0
                while not writer.is_closing():
                    nth += 1
                    request = Request(await reader.readuntil(b"\r\n\r\n"), number, nth)
                    self.requests.append(request)
                    behaviour = self._script(request) or healthy
                    await behaviour(Exchange(self, request, reader, writer))

    @contextlib.asynccontextmanager
    async def _streams(
        self, connection: socket.socket
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            transport, _ = await self._loop.connect_accepted_socket(lambda: protocol, connection, ssl=self._tls)
        except (OSError, asyncio.CancelledError) as error:
            self.handshakes_failed += 1
            connection.close()
            raise ConnectionError from error
        transport.set_write_buffer_limits(0)
        writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
        self.open_connections += 1
        try:
            yield reader, writer
        finally:
            self.open_connections -= 1
            if not writer.is_closing():
                transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _in_order(script: Iterable[Behaviour | None]) -> Callable[[Request], Behaviour | None]:
    behaviours = iter(script)
    return lambda _: next(behaviours, None)


def _listener(port: int, send_buffer: int | None) -> socket.socket:
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    listener.setblocking(False)
    if send_buffer is not None:  # accepted connections inherit it
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    return listener


def closed_port() -> int:
    """Return a port where nothing listens: connections are refused."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextlib.contextmanager
def unanswering_port() -> Any:
    """Give a port that takes no further connection: its queue is full, so connecting neither succeeds nor fails."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
