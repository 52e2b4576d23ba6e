"""S: answers that are too large, and listings that are long. Memory stays bounded and the loop goes on."""

from __future__ import annotations

import asyncio
import json
import sys
import zlib
from pathlib import Path
from typing import Any

import attrs
import pytest

from pinecone_backups_async import ResponseTooLargeError, TransportTimeoutError
from pinecone_backups_async._decode import MAX_VALUES
from tests.support.clients import client_of, failure
from tests.support.cost_process import Cost, watched
from tests.support.fault_server import Behaviour, Exchange, FaultServer, answer, fault_server, head, keep_open, normal
from tests.support.samples import row
from tests.support.timing import LateError, at_most, once_more

MOST_MEMORY = 32  # MB
LONGEST_HOLD = 0.2  # seconds
ROOT = Path(__file__).parents[2]
MEGABYTE = b" " * 2**20


def bomb(beginning: bytes = b"", wbits: int = 31) -> bytes:
    """Return 200 MB of spaces behind a beginning, compressed, but not their end: gzip for 31, deflate for 15."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    packed = packer.compress(beginning) + packer.flush(zlib.Z_FULL_FLUSH)
    return packed + 200 * (packer.compress(MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH))


def packed(body: bytes, coding: str, status: str = "200 OK") -> bytes:
    return head(f"Content-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n", status) + body


def plain_chunks(beginning: bytes = b" ", status: str = "200 OK") -> Behaviour:
    """Send 200 MB of spaces behind a beginning, unpacked, in chunks."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(head("Transfer-Encoding: chunked\r\n", status))
        await exchange.send(b"%x\r\n%b\r\n" % (len(beginning), beginning))
        for _ in range(200):
            await exchange.send(b"100000\r\n" + MEGABYTE + b"\r\n")

    return behave


def page_of(backups: int, **fields: Any) -> bytes:
    return answer(json.dumps({"data": [row(f"b{number}", **fields) for number in range(backups)]}).encode())


async def costs_in_a_process(server: FaultServer, *what: str) -> list[Cost]:
    """Run a client in a process of its own against a server; return what its calls cost."""
    command = [sys.executable, "-m", Cost.__module__, server.url, *what]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return [Cost(**found) for found in json.loads(out)]


async def costs_of(answers: list[Behaviour], calls: int) -> list[Cost]:
    """Return what each of these calls costs a client; all of the answers are needed for them."""
    async with fault_server([normal, *answers]) as server:
        costs = await costs_in_a_process(server, "pages", str(calls))
        assert len(server.heads) == 1 + len(answers)
        return costs


def check(costs: list[Cost]) -> None:
    assert max(cost.growth for cost in costs) < MOST_MEMORY
    held = max(cost.hold for cost in costs)
    if held > LONGEST_HOLD:
        raise LateError(f"the loop was held for {held:.3f} s")


@once_more
async def test_S1_a_bomb_of_200_mb_costs_little() -> None:
    """It is asked for once, and its connection is closed."""
    bombs = [keep_open(packed(bomb(), "gzip")), keep_open(packed(bomb(wbits=15), "deflate")), plain_chunks()]
    costs = await costs_of(bombs, 3)
    assert [cost.outcome for cost in costs] == ["ResponseTooLargeError"] * 3
    check(costs)
    async with fault_server(bombs) as server, client_of(server) as client:
        for _ in bombs:
            with pytest.raises(ResponseTooLargeError):
                await client.fetch_page()
        await asyncio.sleep(0.02)
        assert (server.connections, server.open_connections) == (3, 0)


@once_more
async def test_S1_a_large_page_holds_the_loop_for_no_long() -> None:
    """Pages as large as they may be, in bytes or in values, and larger ones."""
    many = MAX_VALUES * 9 // 10
    pages: list[Behaviour] = [
        page_of(100, description="text " * 3_500),
        page_of(100, tags={f"key {n}": "value" * 9 for n in range(many // 200)}),
        page_of(100, novel=[[]] * (many // 200)),
        page_of(1_000, **{f"key_{n}": 5 for n in range(many // 1_200)}),
        page_of(50_000),
        answer(b'{"data": [], "x": [' + b"[]," * (2 * 10**6) + b"[]]}"),
    ]  # fmt: skip
    costs = await costs_of(pages, len(pages))
    assert [cost.outcome for cost in costs] == ["BackupPage"] * 4 + ["ResponseTooLargeError"] * 2
    check([attrs.evolve(cost, growth=0.0) for cost in costs])  # what is read may be kept


async def test_S2_a_length_over_the_limit_is_refused_unread() -> None:
    """Nothing follows the head, so reading it would fail in another way."""
    found, server = await failure([head(f"Content-Length: {10**9}\r\n")])
    assert (type(found), len(server.heads)) == (ResponseTooLargeError, 1)


BEGINNING = json.dumps({"status": 0, "error": {"code": "OF_THE_BEGINNING", "message": "It failed."}}).encode()


@once_more
async def test_S3_of_a_bomb_on_an_error_the_beginning_counts() -> None:
    refused = [packed(bomb(BEGINNING), "gzip", "401 No"), plain_chunks(BEGINNING, "401 No")]
    costs = await costs_of([*refused, *[plain_chunks(BEGINNING, "500 No")] * 4], 3)
    assert [cost.outcome for cost in costs] == ["UnauthorizedError", "UnauthorizedError", "ServiceError"]
    assert [cost.code for cost in costs] == ["OF_THE_BEGINNING"] * 3
    check(costs)


@pytest.mark.parametrize(("padding", "code"), [(65_000, "LATE"), (66_000, None)])
async def test_S3_and_that_is_64_kib_of_it(padding: int, code: str | None) -> None:
    late = json.dumps({"padding": " " * padding, "error": {"code": "LATE", "message": "It failed."}}).encode()
    found, _ = await failure([answer(late, "404 Not Found")])
    assert found.code == code


@once_more
async def test_S4_a_million_tiny_chunks_end_with_the_attempt() -> None:
    async def crumbs(exchange: Exchange) -> None:
        await exchange.send(head("Transfer-Encoding: chunked\r\n"))
        for _ in range(1000):
            await exchange.send(b"1\r\n \r\n" * 1000)
            await asyncio.sleep(0)

    async with fault_server([crumbs] * 4) as server, client_of(server, attempt_timeout=0.2, timeout=0.3) as client:
        cost = Cost()
        async with watched(cost):
            with at_most(0.3 + 0.1), pytest.raises(TransportTimeoutError):
                await client.fetch_page()
    check([cost])


@pytest.mark.parametrize("backups", [20_000, pytest.param(300_000, marks=pytest.mark.soak)])
async def test_S5_a_long_listing_grows_by_its_ids_alone(backups: int) -> None:
    """It may grow by 5 MB, and by 150 bytes for each id that is to be remembered behind the 10,000th."""
    async with fault_server(backups=backups, page_size=100) as server:
        (cost,) = await costs_in_a_process(server, "walk")
    assert cost.outcome == str(backups)
    assert cost.growth * 2**20 < 5 * 2**20 + 150.0 * (backups - 10_000)
