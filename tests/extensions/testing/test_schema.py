"""What the server answers is what the endpoint is written down to answer: checked without the client."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from pinecone_backups_async import ErrorCode
from pinecone_backups_async.testing import Answer, FakePinecone
from tests.support.raw_request import Reply, get
from tests.support.samples import CURL_EXAMPLE, OPENAPI_EXAMPLE, row

SCHEMA: dict[str, Any] = json.loads(Path(__file__).with_name("backup_list.schema.json").read_text())
PAGE: Any = jsonschema.Draft202012Validator(SCHEMA)
ERROR: Any = jsonschema.Draft202012Validator(SCHEMA | {"$ref": "#/$defs/error"})


def assert_is_error(reply: Reply, status: int, code: ErrorCode) -> None:
    ERROR.validate(reply.json)
    assert (reply.status, reply.json["status"], reply.json["error"]["code"]) == (status, status, code)
    assert reply.headers["Content-Type"] == "application/json"


def test_the_schema_is_one_and_accepts_the_specifications_own_examples() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    PAGE.validate(json.loads(CURL_EXAMPLE))
    PAGE.validate(json.loads(OPENAPI_EXAMPLE))
    ERROR.validate({"error": {"code": "UNAUTHENTICATED", "message": "Invalid API key."}, "status": 401})
    ERROR.validate({"error": {"code": "UNKNOWN", "message": "Internal server error"}, "status": 500})


@pytest.mark.parametrize(
    "page",
    [
        {"data": None},
        {"pagination": None},
        {"data": [], "pagination": {}},
        {"data": [], "pagination": {"next": ""}},
        {"data": [row(region=None)]},
        {"data": [row(status="ready")]},
        {"data": [row(size_bytes=1.5)]},
        {"data": [row(metric=None)]},
        {"data": [row(created_at="2026-04-01")]},
        {"data": [row(schema={"fields": {"genre": {"filterable": False}}})]},
        {"data": [row(schema={"fields": {"vector": {"type": "dense_vector", "dimension": 3}}})]},
        {"data": [row(shards=1)]},
    ],
)
def test_the_schema_refuses_what_is_no_page(page: dict[str, Any]) -> None:
    assert not PAGE.is_valid(page)


async def test_every_page_of_a_project_is_valid() -> None:
    async with FakePinecone(backups=250) as fake:
        reply = await get(fake, limit=70)
        pages = [reply]
        while reply.next_token is not None:
            reply = await get(fake, paginationToken=reply.next_token)
            pages.append(reply)
    for page in pages:
        PAGE.validate(page.json)
        assert page.headers["Content-Type"] == "application/json"
    assert [len(page.ids) for page in pages] == [70, 70, 70, 40]
    assert len({page.headers["X-Pinecone-Request-Id"] for page in pages}) == 4


async def test_a_project_shows_every_shape_that_a_client_must_take() -> None:
    async with FakePinecone(backups=100) as fake:
        rows = (await get(fake, limit=100)).json["data"]
    shows: dict[str, Callable[[dict[str, Any]], bool]] = {
        "tags null": lambda row: row["tags"] is None,
        "tags empty": lambda row: row["tags"] == {},
        "tags": lambda row: bool(row["tags"]),
        "description null": lambda row: row["description"] is None,
        "description": lambda row: isinstance(row["description"], str),
        "no metric": lambda row: "metric" not in row,
        "metric": lambda row: "metric" in row,
        "dimension 0": lambda row: row["dimension"] == 0,
        "no schema": lambda row: "schema" not in row,
        "old schema": lambda row: {"filterable": True} in row.get("schema", {"fields": {}})["fields"].values(),
        "typed schema": lambda row: "embedding" in row.get("schema", {"fields": {}})["fields"],
        "no size yet": lambda row: "size_bytes" not in row,
        "deleted index": lambda row: "source_index_deleted_at" in row,
    }
    assert [shape for shape, holds in shows.items() if not any(map(holds, rows))] == []


async def test_an_empty_project_is_one_empty_page() -> None:
    async with FakePinecone() as fake:
        reply = await get(fake)
    assert (reply.status, reply.json) == (200, {"data": [], "pagination": None})


@pytest.mark.parametrize("key", ["", "pcsk_wrong"])
async def test_a_wrong_key_is_a_401(key: str) -> None:
    async with FakePinecone(backups=1) as fake:
        reply = await get(fake, key=key)
    assert_is_error(reply, 401, ErrorCode.UNAUTHENTICATED)
    assert reply.json == {"error": {"code": "UNAUTHENTICATED", "message": "Invalid API key."}, "status": 401}


@pytest.mark.parametrize("version", [None, "", "2026-4", "2025-04", "unstable"])
async def test_a_missing_or_other_version_is_a_400_that_names_the_header(version: str | None) -> None:
    async with FakePinecone(backups=1) as fake:
        reply = await get(fake, version=version)
    assert_is_error(reply, 400, ErrorCode.INVALID_ARGUMENT)
    assert "X-Pinecone-Api-Version" in reply.json["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/backups/"), ("GET", "/index"), ("POST", "/backups/a/b"), ("DELETE", "")],
)
async def test_anything_but_the_listing_is_a_404(method: str, path: str) -> None:
    async with FakePinecone(backups=1) as fake:
        assert_is_error(await get(fake, method=method, path=path), 404, ErrorCode.NOT_FOUND)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "1.5", "", "1e1", "+5", "²", " 5"])
async def test_a_limit_out_of_range_is_a_400(limit: str) -> None:
    async with FakePinecone(backups=1) as fake:
        assert_is_error(await get(fake, limit=limit), 400, ErrorCode.INVALID_ARGUMENT)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "ä",
        "bm9uc2Vuc2U=",  # well-formed base64 of something else
        "c2tpcD0wMDAwMDAxMCZzaXplPTAxMA==!",  # something behind it
        "c2tpcD0wMDAwMDAxMCZzaXplPTAxMA=",  # padding lost
        "c2tpcD0wMDAwMDAxMCZzaXplPTAxMA%3D%3D",  # encoded twice
        "c2tpcD0wMDAwMDAxMCZzaXplPTAwMA==",  # a page size of 0
        "c2tpcD0wMDAwMDAxMCZzaXplPTEwMQ==",  # a page size of 101
    ],
)
async def test_a_malformed_token_is_a_400(token: str) -> None:
    async with FakePinecone(backups=20) as fake:
        assert (await get(fake, limit=10)).next_token == "c2tpcD0wMDAwMDAxMCZzaXplPTAxMA=="
        assert_is_error(await get(fake, paginationToken=token), 400, ErrorCode.INVALID_ARGUMENT)


async def test_a_scripted_error_has_the_documented_body() -> None:
    async with FakePinecone() as fake:
        fake.play(Answer.error(500, "UNKNOWN", "Internal server error"))
        reply = await get(fake)
    assert_is_error(reply, 500, ErrorCode.UNKNOWN)


async def test_times_count_from_now() -> None:
    now = dt.datetime(2026, 4, 1, 12, tzinfo=dt.UTC)
    async with FakePinecone(backups=1, now=now) as fake:
        (only,) = (await get(fake)).json["data"]
    age = now - dt.datetime.fromisoformat(only["created_at"])
    assert dt.timedelta() < age < dt.timedelta(days=1)
