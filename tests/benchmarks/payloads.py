"""The JSON that the benchmark's server hands out: pages that look like the service's. Knows no HTTP and no client.

Every page of a payload holds the same hundred backups but for their ids, which begin with the number of the page.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Any

import orjson

__all__ = ["ROWS", "Payload", "backup_ids", "page_body", "page_number", "token"]

ROWS = 100
_INDEXES = 10
_MARK = b"########"
_TOKEN_MARK = b"cGFnZT0"


class Payload(StrEnum):
    """Name the kinds of page."""

    SPARSE = "sparse"  # as the live service's sample: no schema, no metric, tags null, names missing here and there
    FULL = "full"
    ABSENT = "absent"  # three optional keys
    TYPED = "typed"  # schema fields
    UNKNOWN = "unknown"  # two keys that the package does not know
    DISTINCT = "distinct"  # schemas


def page_body(payload: Payload, number: int = 0, *, last: bool = False) -> bytes:
    """Return the JSON of one page; every page but the last carries the token of the next."""
    rows = _rows(payload).replace(_MARK, b"%08x" % number)
    pagination = b"null" if last else b'{"next":"%b"}' % token(number + 1).encode()
    return b'{"data":%b,"pagination":%b}' % (rows, pagination)


def token(number: int) -> str:
    """Return the token of a page. Like the service's own samples it holds `=`."""
    return f"{_TOKEN_MARK.decode()}{number:08x}="


def page_number(request_line: bytes) -> int:
    """Return which page a request asks for: the one its token names, else the first."""
    _, found, rest = request_line.partition(b"paginationToken=" + _TOKEN_MARK)
    return int(rest[:8], 16) if found else 0


def backup_ids(pages: int) -> list[str]:
    """Return the ids of a listing of so many pages, in its order."""
    return [_backup_id(f"{number:08x}", row) for number in range(pages) for row in range(ROWS)]


def _backup_id(page: str, row: int) -> str:
    return f"{page}-{row:04x}-4af0-9729-c7771dec{row * 409:04x}"


@lru_cache
def _rows(payload: Payload) -> bytes:
    shape = {
        Payload.SPARSE: _sparse,
        Payload.FULL: _full,
        Payload.ABSENT: _without_optional_keys,
        Payload.UNKNOWN: _with_unknown_keys,
        Payload.TYPED: _with_typed_schema,
        Payload.DISTINCT: _with_its_own_schema,
    }[payload]
    return orjson.dumps([shape(row) for row in range(ROWS)])


def _full(row: int) -> dict[str, Any]:
    """Return a backup with the sixteen fields of the API's page: two schema fields, two tags, ten indexes a page."""
    index = row % _INDEXES
    return {
        "backup_id": _backup_id(_MARK.decode(), row),
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


def _sparse(row: int) -> dict[str, Any]:
    fields: dict[str, Any] = {key: value for key, value in _full(row).items() if key not in {"schema", "metric"}}
    fields |= {"tags": None, "dimension": 1024 if row % 4 == 0 else 0}
    fields |= {"description": None} if row % 3 == 0 else {}
    return {key: value for key, value in fields.items() if not (key == "name" and row % 7 == 0)}


def _without_optional_keys(row: int) -> dict[str, Any]:
    absent = {"description", "dimension", "metric"}
    return {key: value for key, value in _full(row).items() if key not in absent}


def _with_unknown_keys(row: int) -> dict[str, Any]:
    schedule = f"e88f7273-42aa-47e9-af73-593827136{row:03x}"
    return _full(row) | {"schedule_id": schedule, "encryption": {"provider": "aws-kms", "key_rotation_days": 90}}


def _with_typed_schema(row: int) -> dict[str, Any]:
    embedding = {"type": "dense_vector", "dimension": 1536, "metric": "cosine"}
    title = {"type": "string", "filterable": True}
    return _full(row) | {"schema": {"fields": {"embedding": embedding, f"title_{row % _INDEXES}": title}}}


def _with_its_own_schema(row: int) -> dict[str, Any]:
    fields = {"genre": {"filterable": True}, f"title_{row}": {"filterable": True}}
    return _full(row) | {"schema": {"fields": fields}}
