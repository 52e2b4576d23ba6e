"""K: the key, in the errors that no answer causes, and wherever an answer sends it back."""

from __future__ import annotations

import asyncio
import io
import json
import pickle
import ssl
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trustme
from rich.console import Console
from rich.traceback import Traceback

from pinecone_backups_async import (
    BackupsClient,
    BackupsError,
    ClientClosedError,
    ConfigurationError,
    IncompleteListingError,
    PaginationLoopError,
    ResponseParsingError,
    TLSError,
    TransportError,
    UnauthorizedError,
)
from tests.samples import page_body, row
from tests.wire.conftest import guard
from tests.wire.guard import CANARY, find_canary
from tests.wire.helpers import AT_ONCE, client_of, listed
from tests.wire.kinds import stall
from tests.wire.server import answer, fault_server, keep_open

__all__ = ["guard"]
Failing = Callable[[], Awaitable[object]]


async def untrusted() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(tls)  # pyright: ignore[reportUnknownMemberType]
    async with fault_server(tls=tls) as server, client_of(server) as client:
        await client.fetch_page()


async def refused() -> None:
    async with BackupsClient(CANARY, base_url="http://127.0.0.1:9", retry=AT_ONCE) as client:
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


async def misconfigured() -> None:
    BackupsClient(CANARY + " ")


async def misused() -> None:
    async with fault_server() as server, client_of(server) as client:
        client.list_backups(limit=0)


KINDS: list[tuple[Failing, type[BackupsError]]] = [
    (untrusted, TLSError),
    (refused, TransportError),
    (closed_under_way, ClientClosedError),
    (in_circles, PaginationLoopError),
    (never_proven, IncompleteListingError),
    (misconfigured, ConfigurationError),
    (misused, ConfigurationError),
]


def without_our_frames(raised: BaseException) -> str:
    """Return what the standard traceback and rich's tell with all local variables; the tests' own frames know the key."""
    standard = traceback.TracebackException.from_exception(raised, capture_locals=True)
    for frame in standard.stack:
        if "/tests/" in frame.filename and frame.locals is not None:
            frame.locals.clear()
    trace = Traceback.extract(type(raised), raised, raised.__traceback__, show_locals=True, locals_max_string=10**6)
    for stack in trace.stacks:
        stack.frames = [frame for frame in stack.frames if "/tests/" not in frame.filename]
    console = Console(file=io.StringIO(), width=10**4)
    console.print(Traceback(trace, show_locals=True, width=10**4))
    assert isinstance(console.file, io.StringIO)
    return "".join(standard.format()) + console.file.getvalue()


@pytest.mark.parametrize(("fail", "kind"), KINDS, ids=lambda found: getattr(found, "__name__", None))
async def test_K2_K3_no_error_leads_to_the_key(fail: Failing, kind: type[BackupsError]) -> None:
    with pytest.raises(kind) as caught:
        await fail()
    assert find_canary(caught.value) == []
    shown = without_our_frames(caught.value)
    assert "_client.py" in shown or kind is PaginationLoopError or kind is IncompleteListingError
    assert CANARY not in shown
    assert CANARY.encode() not in pickle.dumps(caught.value)


async def test_K3_the_look_at_tracebacks_would_find_a_key_that_is_there() -> None:
    raised = pickle.loads(pickle.dumps(ConfigurationError(CANARY)))
    assert CANARY in without_our_frames(raised)
    assert find_canary(raised) != []


@pytest.mark.parametrize(
    "place", ["reason", "header", "text body", "message to be cut", "page that is none", "garbage"]
)
async def test_K6_a_key_that_is_sent_back_is_masked_and_the_text_cut(place: str) -> None:
    long = "x" * 490 + CANARY + "y" * 600
    body = json.dumps({"error": {"code": "UNAUTHENTICATED", "message": long}}).encode()
    answers = {
        "reason": (answer(b"", f"401 {CANARY}"), UnauthorizedError),
        "header": (answer(b"", "401 No", f"X-Request-Id: {CANARY}\r\nRetry-After: {CANARY}\r\n"), UnauthorizedError),
        "text body": (answer(f"no key is {CANARY}".encode(), "401 No"), UnauthorizedError),
        "message to be cut": (answer(body, "401 No"), UnauthorizedError),
        "page that is none": (answer(json.dumps({"data": [{CANARY: CANARY}]}).encode()), ResponseParsingError),
        "garbage": (answer(f"<html>{CANARY}".encode()), ResponseParsingError),
    }
    sent, kind = answers[place]
    async with fault_server([sent] * 4) as server, client_of(server) as client:
        with pytest.raises(kind) as caught:
            await client.fetch_page()
    assert find_canary(caught.value) == find_canary(caught.value, CANARY[:12]) == []
    facts: dict[str, Any] = vars(caught.value)
    assert all(len(text) <= 500 for text in facts.values() if isinstance(text, str))
    assert ("***" in str(caught.value) + str(facts)) == (place != "reason")


@pytest.mark.parametrize("length", [75, 511])
async def test_K6_a_long_key_that_fills_the_answer_shows_no_piece_of_itself(length: int) -> None:
    key = ("pcsk_" + "0123456789" * 51)[:length]
    async with fault_server([answer(key.encode() * (70_000 // length), "401 No")]) as server:
        async with BackupsClient(key, base_url=server.url, retry=AT_ONCE) as client:
            with pytest.raises(UnauthorizedError) as caught:
                await client.fetch_page()
    assert "pcsk_" not in str(caught.value)
