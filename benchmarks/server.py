"""The benchmark's server, a process of its own, and the JSON that it sends: pages that look like the service's.

Every page of a payload holds the same hundred backups but for their ids, which begin with the number of the page. Run
as a module it opens a loopback port, prints it, and answers each GET on a kept connection. It knows no client.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Generator
from enum import StrEnum
from functools import lru_cache
from typing import Any

import orjson

from tests.support.fault_server import listening

ROWS = 100
_MARK = "########"
_TOKEN = b"cGFnZT0%08x="  # like the service's own samples it holds `=`


class Payload(StrEnum):
    """The kinds of page."""

    SPARSE = "sparse"  # as the live service's sample: no schema, no metric, tags null, names missing here and there
    FULL = "full"
    ABSENT = "absent"  # three optional keys
    TYPED = "typed"  # schema fields
    UNKNOWN = "unknown"  # two keys that the package does not know
    DISTINCT = "distinct"  # schemas


def page_body(payload: Payload, number: int = 0, *, last: bool = False) -> bytes:
    """Return the JSON of one page; every page but the last carries the token of the next."""
    rows = _rows(payload).replace(_MARK.encode(), b"%08x" % number)
    pagination = b"null" if last else b'{"next":"%b"}' % (_TOKEN % (number + 1))
    return b'{"data":%b,"pagination":%b}' % (rows, pagination)


def backup_ids(pages: int) -> list[str]:
    """Return the ids of a listing of so many pages, in its order."""
    return [_backup_id(f"{number:08x}", row) for number in range(pages) for row in range(ROWS)]


def _backup_id(page: str, row: int) -> str:
    return f"{page}-{row:04x}-4af0-9729-c7771dec{row * 409:04x}"


@lru_cache
def _rows(payload: Payload) -> bytes:
    return orjson.dumps([_row(payload, number) for number in range(ROWS)])


def _row(payload: Payload, row: int) -> dict[str, Any]:
    backup, absent = _full(row), set[str]()
    match payload:
        case Payload.SPARSE:
            absent = {"schema", "metric", "name"} if row % 7 == 0 else {"schema", "metric"}
            backup |= {"tags": None, "dimension": 1024 if row % 4 == 0 else 0}
            backup |= {"description": None} if row % 3 == 0 else {}
        case Payload.ABSENT:
            absent = {"description", "dimension", "metric"}
        case Payload.TYPED:
            embedding = {"type": "dense_vector", "dimension": 1536, "metric": "cosine"}
            title = {"type": "string", "filterable": True}
            backup["schema"] = {"fields": {"embedding": embedding, f"title_{row % 10}": title}}
        case Payload.UNKNOWN:
            backup["schedule_id"] = f"e88f7273-42aa-47e9-af73-593827136{row:03x}"
            backup["encryption"] = {"provider": "aws-kms", "key_rotation_days": 90}
        case Payload.DISTINCT:
            backup["schema"] = {"fields": {"genre": {"filterable": True}, f"title_{row}": {"filterable": True}}}
        case Payload.FULL:
            pass
    return {key: value for key, value in backup.items() if key not in absent}


def _full(row: int) -> dict[str, Any]:
    """Return a backup with the sixteen fields of the API's page: two schema fields, two tags, ten indexes a page."""
    index = row % 10
    return {
        "backup_id": _backup_id(_MARK, row),
        "source_index_name": f"product-search-{index}",
        "source_index_id": f"b49f27d1-1bf3-49c6-82b5-4ae46f00f{index:03x}",
        "name": f"nightly-2026-11-{1 + row % 28:02d}-{row:03d}",
        "description": f"Nightly backup of product-search-{index} before reindexing",
        "status": "Ready",
        "cloud": "aws",
        "region": "us-east-1",
        "dimension": 1536,
        "metric": "cosine",
        "schema": {"fields": {"genre": {"filterable": True}, f"title_{index}": {"filterable": True}}},
        "record_count": 120000 + 37 * row,
        "namespace_count": 1 + row % 7,
        "size_bytes": 1069169000 + 8191 * row,
        "tags": {"environment": "production", "type": f"nightly-{row % 3}"},
        "created_at": f"2026-11-{1 + row % 28:02d}T03:{row % 60:02d}:45.{803146 + row:06d}Z",
    }


async def _serve(payload: Payload, pages: int) -> None:
    @lru_cache(100)  # the first walk, which is not measured, makes every page of a listing that is walked again
    def answer(number: int) -> bytes:
        body = page_body(payload, number, last=number == pages - 1)
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-pinecone-request-id: 7f2d4c%06d\r\n" % number
        return head + b"content-length: %d\r\n\r\n" % len(body) + body

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.readuntil(b"\r\n\r\n"):
            _, found, rest = request.partition(b"paginationToken=" + _TOKEN[:7])
            writer.write(answer(int(rest[:8], 16) if found else 0))

    async with listening(connected) as port:
        print(port, flush=True)
        await asyncio.Event().wait()


@contextlib.contextmanager
def started(module: str, *arguments: str) -> Generator[tuple[str, int], None, None]:
    """Start a module of this package that prints its port and serves; give its base URL and its process id."""
    command = [sys.executable, "-m", f"{__package__}.{module}", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}", process.pid
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(_serve(Payload(sys.argv[1]), int(sys.argv[2])))
