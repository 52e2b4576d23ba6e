"""An answer cut at each of its bytes: in every framing, and by every way in which a connection can end."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import attrs

from tests.support.clients import client_of, eager, listed
from tests.support.fault_kinds import chunked, cut, zipped
from tests.support.fault_server import Behaviour, Exchange, answer, fault_server, head

FRAMINGS: dict[str, Callable[[bytes], bytes]] = {
    "length": answer,
    "chunked": chunked,
    "neither": lambda page: head() + page,
    "gzip": zipped,
}


def without_goodbye(part: bytes) -> Behaviour:
    """Send this much, then end the connection below TLS, without its close_notify."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(part)
        await asyncio.sleep(0)
        exchange.writer.transport.abort()

    return behave


ENDINGS: dict[str, Callable[[bytes], Behaviour]] = {
    "FIN": lambda part: cut(lambda _: part),
    "RST": lambda part: cut(lambda _: part, reset=True),
    "no close_notify": without_goodbye,
}


@attrs.define
class Swept:
    """How many cuts there were, and after how many of them the list was not the right one."""

    cuts: int = 0
    wrong: int = 0
    retried: int = 0


async def sweep(
    framing: str,
    ending: str,
    *,
    step: int = 1,
    tls: ssl.SSLContext | None = None,
    trust: ssl.SSLContext | None = None,
) -> Swept:
    """Cut a page of three backups at every step-th byte of its answer, and list it each time."""
    swept = Swept()
    async with fault_server(tls=tls) as server, client_of(server, ssl_context=trust, retry=eager()) as client:
        whole = FRAMINGS[framing](server.page(b"GET /backups HTTP/1.1"))
        for size in range(0, len(whole), step):
            before = len(server.heads)
            server.script = [ENDINGS[ending](whole[:size])]
            swept.cuts += 1
            swept.wrong += await listed(client) != server.ids
            swept.retried += len(server.heads) - before == 2
    return swept
