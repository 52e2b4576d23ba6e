"""A response that streams lines of JSON and never looks complete when it is not. Knows pages and ASGI, no statuses.

How it works. The first chunk is fetched before the response begins, so a failure there is raised as any other error.
Meanwhile, and until the end, a task of the call listens for the client to disconnect, whatever the ASGI version, and
cancels the stream when it does. If anything else ends the stream, the server is made to abort the connection.

Starlette's own StreamingResponse does neither: under ASGI 2.4 it stops listening and takes any OSError of the content,
a TimeoutError too, for a disconnect.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Any, Final, cast

import anyio
import msgspec
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from pinecone_backups_async import BackupPager

__all__ = ["NdjsonResponse", "backups_ndjson"]

_SECONDS_OF_GRACE: Final = 0.1
_encoder: Final = msgspec.json.Encoder()
_log = logging.getLogger("pinecone_backups_async")


class NdjsonResponse(StreamingResponse):
    """A streamed body of lines of JSON (`application/x-ndjson`), made from an async iterable of bytes.

    Declare it as `response_class` of a route, so that the OpenAPI document has its media type. If the content raises
    before its first chunk, the exception handlers answer. If anything ends the stream later, the connection is aborted,
    so that the client's HTTP library raises; this works behind middlewares too. If the client disconnects, the content
    is cancelled. HEAD sends the headers and does not touch the content.
    """

    media_type = "application/x-ndjson"
    _disconnected = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, then run the background task."""
        if scope.get("method") == "HEAD":
            await send(self._start())
            await send(_body(b"", more=False))
        else:
            await self._stream_until_disconnect(receive, send)
        if self.background is not None:
            await self.background()

    async def _stream_until_disconnect(self, receive: Receive, send: Send) -> None:
        failures: list[Exception] = []
        async with anyio.create_task_group() as group:
            group.start_soon(self._cancel_on_disconnect, receive, group.cancel_scope)
            try:
                await self.stream_response(send)
            except Exception as error:  # noqa: BLE001 - raised below, where the group cannot wrap it
                failures.append(error)
            group.cancel_scope.cancel()
        if failures:
            raise failures.pop()  # so that no frame of the error's own traceback holds the error

    async def _cancel_on_disconnect(self, receive: Receive, scope: anyio.CancelScope) -> None:
        await self.listen_for_disconnect(receive)
        self._disconnected = True
        scope.cancel()

    async def stream_response(self, send: Send) -> None:
        """Send the whole response; abort it if anything but a disconnect ends it after it has begun."""
        chunks = aiter(cast("AsyncIterator[bytes]", self.body_iterator))
        start: Message = {}
        try:
            first = await anext(chunks, b"")
            start = self._start()
            await _send(send, start)
            await _send_chunk(send, first)
            async for chunk in chunks:
                await _send_chunk(send, chunk)
            await _send(send, _body(b"", more=False))
        except (Exception, asyncio.CancelledError) as error:
            if start and not self._disconnected:
                await _abort(send, start, error)
            raise
        finally:
            if isinstance(chunks, AsyncGenerator):
                await cast("AsyncGenerator[Any]", chunks).aclose()

    def _start(self) -> Message:
        return {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}


def _body(chunk: bytes, *, more: bool) -> Message:
    """Return a message of its own each time, since middlewares change what they are given."""
    return {"type": "http.response.body", "body": chunk, "more_body": more}


async def _send_chunk(send: Send, chunk: bytes) -> None:
    if chunk:  # some servers take an empty chunk for the end of the body
        await _send(send, _body(chunk, more=True))


async def _send(send: Send, message: Message) -> None:
    try:
        await send(message)
    except OSError:
        # A server may tell a disconnect so, since ASGI 2.4. Then the listener hears of it too, and cancels this.
        await anyio.sleep(_SECONDS_OF_GRACE)
        raise


async def _abort(send: Send, start: Message, error: BaseException) -> None:
    """Make the server abort the response instead of ending it."""
    name = type(error).__name__
    _log.warning("aborted a stream: %s", name, extra={"pinecone_error": name})
    # Raising is not enough: behind Starlette's BaseHTTPMiddleware the server still gets a regular end of the body. The
    # one message that this middleware passes on is `pathsend`, which no server accepts within a body, so the server
    # fails, and closes the connection. GZipMiddleware repeats the start before it: `more_body` keeps that from being
    # taken for the end of the body if assertions are off (python -O).
    start["more_body"] = True
    cancelled = not isinstance(error, Exception)  # then every further wait ends at once, unless it is shielded
    with anyio.move_on_after(_SECONDS_OF_GRACE if cancelled else None, shield=cancelled), suppress(Exception):
        await send({"type": "http.response.pathsend", "path": ""})


def backups_ndjson(pager: BackupPager) -> NdjsonResponse:
    """Return a response that streams each backup as a line of JSON: the object of `Backup.to_dict()`.

    The last line of a complete stream is `{"end": true, "count": n}`. A stream without that line is incomplete. A page
    is fetched when the page before it has been sent; the first one before the response begins, so that an error there
    is answered by the error handlers.
    """

    async def lines() -> AsyncIterator[bytes]:
        count = 0
        async for page in pager.pages():
            count += len(page.data)
            yield _encoder.encode_lines([backup.to_dict() for backup in page.data])
        yield b'{"end": true, "count": %d}\n' % count

    return NdjsonResponse(lines())
