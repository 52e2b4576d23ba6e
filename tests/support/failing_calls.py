"""Every way in which a call can fail, each with the canary as the key: what reaches the caller must not lead to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import trustme

from pinecone_backups_async import BackupsClient, BackupsError
from tests.support.certificates import server_context
from tests.support.clients import AT_ONCE, client_of, listed
from tests.support.fault_kinds import cut, stall
from tests.support.fault_server import Behaviour, answer, error, fault_server, head, keep_open
from tests.support.guard import CANARY
from tests.support.samples import page_body, row

ECHO = json.dumps({"status": 401, "error": {"code": CANARY, "message": f"Bad key {CANARY}", "details": {"k": CANARY}}})
ANSWERS: dict[str, Behaviour] = {
    "401": error("401 Unauthorized", "UNAUTHENTICATED"),
    "403": error("403 Forbidden"),
    "404": error("404 Not Found"),
    "400": error("400 Bad Request", "INVALID_ARGUMENT"),
    "418": error("418 Teapot"),
    "429": error("429 Too Many Requests"),
    "500": error("500 Internal"),
    "302": answer(b"", "302 Found", "Location: https://elsewhere.example/\r\n"),
    "no page": answer(b'{"data": 5}'),
    "no JSON": answer(b"<html>"),
    "too large": head(f"Content-Length: {10**9}\r\n"),
    "cut": cut(lambda page: answer(page)[:-5]),
    "no HTTP": b"nonsense\r\n\r\n",
    "stalled": stall,
    "echoed": answer(ECHO.encode(), "401 Unauthorized", f"X-Request-Id: {CANARY}\r\n"),
    "echoed as a page": answer(json.dumps({"data": [{CANARY: CANARY}]}).encode()),
}
Failing = Callable[[], Awaitable[object]]


def answered(behaviour: Behaviour) -> Failing:
    async def fail() -> None:
        async with fault_server([behaviour] * 4) as server, client_of(server, attempt_timeout=0.1) as client:
            await client.fetch_page()

    return fail


async def untrusted() -> None:
    async with fault_server(tls=server_context(trustme.CA())) as server, client_of(server) as client:
        await client.fetch_page()


async def refused() -> None:
    async with BackupsClient(CANARY, base_url="http://127.0.0.1:9", retry=AT_ONCE) as client:
        await client.fetch_page()


async def refused_by_a_proxy() -> None:
    async with fault_server([answer(b"", "407 Who are you")]) as proxy:
        async with BackupsClient(CANARY, proxy=proxy.url, retry=AT_ONCE) as client:
            await client.fetch_page()


async def closed_under_way() -> None:
    async with fault_server([stall]) as server:
        client = client_of(server)
        call = asyncio.create_task(client.fetch_page())
        await asyncio.sleep(0.05)
        await client.close()
        await call


async def in_circles() -> None:
    same = keep_open(answer(page_body(row(), next_token="same")))
    async with fault_server([same] * 3) as server, client_of(server) as client:
        await listed(client)


async def never_proven() -> None:
    pages = [answer(page_body(row(f"b{number}"))) for number in range(2)]
    async with fault_server(pages) as server, client_of(server) as client:
        await client.inventory(max_passes=2)


async def misused() -> None:
    async with fault_server() as server, client_of(server) as client:
        client.list_backups(limit=0)


def misconfigured(key: str = CANARY, **settings: Any) -> Failing:
    async def fail() -> None:
        BackupsClient(key, **settings)

    return fail


async def timed_out() -> None:
    async with fault_server([stall]) as server, client_of(server) as client, asyncio.timeout(0.05):
        await client.fetch_page()


async def cancelled() -> None:
    async with fault_server([stall]) as server, client_of(server) as client:
        call = asyncio.create_task(client.fetch_page())
        await asyncio.sleep(0.05)
        call.cancel()
        await call


NONSENSE: dict[str, Any] = {"timeout": 0, "base_url": "ftp://x", "proxy": "x", "retry": 5, "connector": 5}
FAILURES: dict[str, Failing] = {
    **{name: answered(behaviour) for name, behaviour in ANSWERS.items()},
    "untrusted": untrusted,
    "refused": refused,
    "refused by a proxy": refused_by_a_proxy,
    "closed under way": closed_under_way,
    "in circles": in_circles,
    "never proven": never_proven,
    "misused": misused,
    "no key": misconfigured(f"{CANARY} "),
    **{f"{name} that makes no sense": misconfigured(**{name: value}) for name, value in NONSENSE.items()},
    "timed out by the caller": timed_out,
    "cancelled by the caller": cancelled,
}


SENT_BACK_IN_HEADERS = {"echoed"}  # of which spans with all headers captured tell as they came


async def raised_by(name: str) -> BaseException:
    """Return what reaches the caller of a call that fails in this way."""
    try:
        await FAILURES[name]()
    except (BackupsError, asyncio.CancelledError, TimeoutError) as raised:
        return raised
    raise AssertionError(f"{name} raised nothing")
