"""Every way in which a call can fail, or be ended: what reaches the caller must lead to none of the secrets.

The secrets are the key, a header's value, a proxy's password, what a request's body says, and what a response says.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import signal
import ssl
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import attrs
import trustme

import pinecone_backups_async
from pinecone_backups_async import BackupsClient
from tests.support.certificates import server_context
from tests.support.clients import AT_ONCE, listed
from tests.support.fault_kinds import cut, stall
from tests.support.fault_server import Behaviour, Exchange, answer, error, fault_server, head, keep_open, listening
from tests.support.guard import CANARY
from tests.support.samples import page_body, row

PACKAGE = str(Path(pinecone_backups_async.__file__).parent)
HEADER, PASSWORD, NAME, BODY = "hush-header", "hush-password", "hush-name", "hush-response"
SECRETS = (CANARY, HEADER, PASSWORD, NAME, BODY)
Call = Callable[[BackupsClient], Awaitable[object]]


@attrs.frozen
class FailingCall:
    """A call that fails, what the server does, and what is special about the client."""

    call: Call
    behaviour: Behaviour = b""
    settings: dict[str, Any] = attrs.field(factory=dict[str, Any])
    tls: ssl.SSLContext | None = None


async def fetch(client: BackupsClient) -> object:
    return await client.fetch_page()


async def misuse(client: BackupsClient) -> object:
    return client.list_backups(limit=0)


async def close_under_way(client: BackupsClient) -> object:
    call = asyncio.create_task(client.fetch_page())
    await asyncio.sleep(0.05)
    await client.close()
    return await call


async def always_new(exchange: Exchange, numbers: itertools.count[int] = itertools.count()) -> None:  # noqa: B008
    await exchange.send(answer(page_body(row(f"b{next(numbers)}"))))


ECHO = json.dumps({"status": 401, "error": {"code": CANARY, "message": f"Bad key {CANARY}", "details": {"k": CANARY}}})
# What an error quotes of a body is shortened: this stands behind it.
SAID = answer(json.dumps({"data": [{**row(), "description": "x" * 700, "record_count": BODY}]}).encode())
FAILED = answer(json.dumps({**row(), "status": "Failed"}).encode())
BROKEN = answer(json.dumps({"error": {"code": "UNKNOWN", "message": "It failed."}, "more": BODY}).encode(), "500 No")
PAGES: dict[str, Behaviour] = {
    "401": error("401 Unauthorized", "UNAUTHENTICATED"),
    "403": error("403 Forbidden"),
    "404": error("404 Not Found"),
    "400": error("400 Bad Request", "INVALID_ARGUMENT"),
    "418": error("418 Teapot"),
    "429": error("429 Too Many Requests"),
    "500": error("500 Internal"),
    "302": answer(b"", "302 Found", "Location: https://elsewhere.example/\r\n"),
    "no page": SAID,
    "no JSON": answer(b"<html>"),
    "too large": head(f"Content-Length: {10**9}\r\n"),
    "cut": cut(lambda page: answer(page)[:-5]),
    "no HTTP": b"nonsense\r\n\r\n",
    "stalled": stall,
    "echoed": answer(ECHO.encode(), f"401 {CANARY}", f"X-Request-Id: {CANARY}\r\nRetry-After: {CANARY}\r\n"),
    "echoed as text": answer(f"no key is {CANARY}".encode(), "401 Unauthorized"),
    "echoed as a page": answer(json.dumps({"data": [{CANARY: CANARY}]}).encode()),
    "echoed as garbage": answer(f"<html>{CANARY}".encode()),
}
CALLS: dict[str, Call] = {
    "create": lambda client: client.create_backup("movies", name=NAME, description=NAME),
    "ensure": lambda client: client.ensure_backup("movies", NAME),
    "restore": lambda client: client.create_index_from_backup("b1", name="restored", tags={"team": NAME}),
    "delete": lambda client: client.delete_backup("b1"),
    "describe": lambda client: client.describe_backup("b1"),
    "jobs": lambda client: client.list_restore_jobs().to_list(),
    "job": lambda client: client.describe_restore_job("j1"),
    "indexes": lambda client: client.list_indexes(),
    "list": listed,
    "inventory": lambda client: client.inventory(),
}
PROXY = f"http://user:{PASSWORD}@127.0.0.1:"
SWEPT: dict[str, FailingCall] = {
    **{name: FailingCall(fetch, behaviour) for name, behaviour in PAGES.items()},
    "a wait for what failed": FailingCall(lambda client: client.wait_until_ready("b1"), FAILED),
    "refused": FailingCall(fetch, settings={"base_url": "http://127.0.0.1:9"}),
    "a proxy that is absent": FailingCall(fetch, settings={"proxy": f"{PROXY}9"}),
    "a proxy that stalls": FailingCall(fetch, settings={"proxy": f"{PROXY}{{stalling}}"}),
    "a proxy that refuses": FailingCall(fetch, answer(b"", "407 Who are you"), {"proxy": f"{PROXY}{{port}}"}),
    "in circles": FailingCall(listed, keep_open(answer(page_body(row(), next_token="same")))),
    "never proven": FailingCall(lambda client: client.inventory(max_passes=2), always_new),
    **{f"{name}, broken": FailingCall(call, BROKEN) for name, call in CALLS.items()},
    **{f"{name}, garbled": FailingCall(call, SAID[:-9]) for name, call in CALLS.items() if name != "ensure"},
}
FAILURES: dict[str, FailingCall] = {
    **SWEPT,
    "misused": FailingCall(misuse),
    "untrusted": FailingCall(fetch, tls=server_context(trustme.CA())),
    "closed under way": FailingCall(close_under_way, stall, {"attempt_timeout": 9}),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "key": {"api_key": f"{CANARY} "},
    "quoted key": {"api_key": f"'{CANARY}'"},
    "header": {"additional_headers": {"X A": HEADER}},
    "header's value": {"additional_headers": {"X-A": f"{HEADER}\n"}},
    "proxy": {"proxy": f"socks5://user:{PASSWORD}@host"},
    "proxy's user": {"proxy": f"http://us%3Aer:{PASSWORD}@host:1"},
    "address": {"base_url": "ftp://x"},
    "timeout": {"timeout": 0},
}


# Python runs no handler at a `try`, a `yield`, or the end of a `with`, of which these consist.
WITHOUT_HANDLERS = {"walled.<locals>.call", "walled.<locals>.call_async", "_until_closed"}


class Interruption(BaseException):
    """What a signal handler raises, as those of soft limits and of pytest-timeout do."""


@contextlib.contextmanager
def interrupted_at(line: int) -> Generator[None]:
    """Let a signal arrive as soon as so many lines of the package have been executed, within its frame."""
    lines = 0

    def count(frame: Any, event: str, _: object) -> Any:
        nonlocal lines
        code = frame.f_code
        if not code.co_filename.startswith(PACKAGE):
            return None
        if event == "line" and code.co_qualname not in WITHOUT_HANDLERS:
            lines += 1
            if lines == line:
                signal.raise_signal(signal.SIGUSR1)
        return count

    def handle(*_: object) -> None:
        raise Interruption

    handler, tracer = signal.signal(signal.SIGUSR1, handle), sys.gettrace()
    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(tracer)
        signal.signal(signal.SIGUSR1, handler)


@contextlib.asynccontextmanager
async def client_for(failing: FailingCall) -> AsyncGenerator[BackupsClient]:
    async with (
        fault_server([failing.behaviour] * 40, tls=failing.tls) as server,
        listening(lambda reader, _: reader.read()) as stalling,
    ):
        settings: dict[str, Any] = {"base_url": server.url, "retry": AT_ONCE, "attempt_timeout": 0.05}
        settings |= failing.settings
        if "proxy" in settings:
            ports = {"port": server.url.rpartition(":")[2], "stalling": stalling}
            settings |= {"proxy": settings["proxy"].format(**ports), "base_url": "https://127.0.0.1:9"}
        async with BackupsClient(CANARY, additional_headers={"X-Team": HEADER}, **settings) as client:
            yield client


async def ended(failing: FailingCall, how: str = "raised", moment: int = 0) -> BaseException | None:
    """Return what reached the caller, None where the call succeeded before it was to be ended."""
    async with client_for(failing) as client:
        try:
            if how == "timed out":
                async with asyncio.timeout(moment / 1000):
                    await failing.call(client)
            elif how == "interrupted":
                asyncio.get_running_loop().set_exception_handler(Mock())  # of a response that is collected
                with interrupted_at(moment):
                    await failing.call(client)
            elif how == "cancelled":
                task = asyncio.ensure_future(failing.call(client))
                for _ in range(moment):
                    await asyncio.sleep(0)
                task.cancel()
                await task
            else:
                await failing.call(client)
        except BaseException as raised:  # noqa: BLE001
            return raised
    return None


async def raised_by(name: str) -> Any:
    """Return what reaches the caller of a call that fails in this way."""
    return constructed(SETTINGS[name]) if name in SETTINGS else await ended(FAILURES[name])


def constructed(settings: dict[str, Any], line: int = 0) -> BaseException | None:
    """Return what the constructor raises, interrupted at a line of the package if one is given."""
    wrong: dict[str, Any] = {"api_key": CANARY, "proxy": f"{PROXY}1", "additional_headers": {"X-A": HEADER}}
    try:
        with interrupted_at(line):
            BackupsClient(**wrong | settings)
    except BaseException as raised:  # noqa: BLE001
        return raised
    return None
