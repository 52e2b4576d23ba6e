"""Every response is what the published specification says: checked against its schemas, without the client."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from pinecone_backups_async.testing import FakePinecone
from tests.support.raw_request import NOW, SCHEMA, ask, backup, get, validator
from tests.support.samples import CURL_EXAMPLE, OPENAPI_EXAMPLE, row


def test_the_schema_is_one_and_accepts_the_specifications_own_examples() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator("page").validate(json.loads(CURL_EXAMPLE))
    validator("page").validate(json.loads(OPENAPI_EXAMPLE))
    validator("error").validate({"error": {"code": "UNKNOWN", "message": "Internal server error"}, "status": 500})
    pod = {"environment": "us-west1-gcp", "pod_type": "p1.x1", "pods": 4, "replicas": 2, "shards": 2}
    index = {
        "name": "semantic-search",
        "dimension": 384,
        "metric": "cosine",
        "host": "semantic-search.example.pinecone.io",
    }
    index |= {"spec": {"pod": pod}, "status": {"ready": True, "state": "Ready"}, "vector_type": "dense"}
    validator("index_list").validate({"indexes": [index]})
    job: dict[str, Any] = {
        "restore_job_id": "j",
        "backup_id": "b",
        "target_index_name": "my-index",
        "target_index_id": "idx_456",
    }
    job |= {"status": "Completed", "created_at": "2024-03-15T10:30:00Z", "percent_complete": 42.2}
    validator("restore_job_page").validate({"data": [job], "pagination": {"next": "dXNlcl9pZD11c2VyXzE="}})


WRONG: list[dict[str, Any]] = [
    {"region": None},
    {"status": "ready"},
    {"size_bytes": 1.5},
    {"metric": None},
    {"created_at": "2026-04-01"},
    {"schema": {"fields": {"genre": {"filterable": False}}}},
    {"schema": {"fields": {"vector": {"type": "dense_vector", "dimension": 3}}}},
    {"shards": 1},
]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("page", {"data": None}),
        ("page", {"pagination": None}),
        ("page", {"data": [], "pagination": {"next": ""}}),
        *(("backup", row(**fields)) for fields in WRONG),
        ("receipt", {"restore_job_id": "j"}),
        ("index_list", {"indexes": [{"name": "a"}]}),
        ("restore_job_page", {}),
    ],
)
def test_the_schema_refuses_what_is_no_body(name: str, body: dict[str, Any]) -> None:
    assert not validator(name).is_valid(body)


async def test_every_page_of_a_project_is_valid() -> None:
    async with FakePinecone(backups=250) as fake:
        reply = await get(fake, limit=70)
        pages = [reply]
        while reply.next_token is not None:
            reply = await get(fake, paginationToken=reply.next_token)
            pages.append(reply)
    for page in pages:
        validator("page").validate(page.json)
        assert page.headers["Content-Type"] == "application/json"
    assert [len(page.ids) for page in pages] == [70, 70, 70, 40]
    assert len({page.headers["X-Pinecone-Request-Id"] for page in pages}) == 4


@pytest.mark.parametrize("version", ["2025-10", "2026-04"])
async def test_every_other_body_is_valid(version: str) -> None:
    """Also of what is unfinished or has failed, and of an index that has no backup."""

    async def valid(name: str, request: str, **settings: Any) -> Any:
        reply = await ask(fake, request, version=version, **settings)
        validator(name).validate(reply.json)
        return reply.json

    async with FakePinecone([*map(backup, "ab")], indexes=["empty"]) as fake:
        fake.looks_until_ready = fake.looks_until_restored = 2
        for outcome in "Ready", "Failed":
            fake.backup_outcome = outcome
            for name in "products", "empty":
                new = await valid("backup", f"POST /indexes/{name}/backups", json={"name": "n", "description": "d"})
                for _ in range(2):
                    await valid("backup", f"GET /backups/{new['backup_id']}")
        for outcome in "Completed", "Failed":
            fake.restore_outcome = outcome
            body = {"name": outcome.lower(), "tags": {"team": "search"}}
            receipt = await valid("receipt", "POST /backups/a/create-index", json=body)
            await valid("index", f"GET /indexes/{outcome.lower()}")
            await valid("restore_job", f"GET /restore-jobs/{receipt['restore_job_id']}")
        assert len((await valid("restore_job_page", "GET /restore-jobs"))["data"]) == 2
        assert len((await valid("page", "GET /indexes/empty/backups"))["data"]) == 2
        assert len((await valid("index_list", "GET /indexes"))["indexes"]) == 4


async def test_a_project_shows_every_shape_that_a_client_must_take() -> None:
    async with FakePinecone(backups=100) as fake:
        rows = (await get(fake, limit=100)).json["data"]
        indexes = (await ask(fake, "GET /indexes")).json
    validator("index_list").validate(indexes)
    assert {index["name"] for index in indexes["indexes"]} == {row["source_index_name"] for row in rows}
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


@pytest.mark.parametrize("key", ["", "pcsk_wrong"])
async def test_a_wrong_key_is_a_401(key: str) -> None:
    async with FakePinecone(backups=1) as fake:
        assert (await get(fake, key=key)).error == (401, "Invalid API key.")


@pytest.mark.parametrize("version", [None, "", "2026-4", "2025-04", "unstable"])
async def test_a_missing_or_other_version_is_a_400_that_names_the_header(version: str | None) -> None:
    async with FakePinecone(backups=1) as fake:
        message = "The X-Pinecone-Api-Version header must be 2025-10 or 2026-04 or 2026-07."
        assert (await get(fake, version=version)).error == (400, message)


@pytest.mark.parametrize("path", ["/", "/backups/", "/index", "/backups/a/b", "/restore-jobs/"])
async def test_an_unknown_path_is_a_404(path: str) -> None:
    async with FakePinecone(backups=1) as fake:
        assert (await ask(fake, f"GET {path}")).error == (404, f"GET {path} is not served here.")


async def test_times_count_from_now() -> None:
    async with FakePinecone(backups=1, now=NOW) as fake:
        (only,) = (await get(fake)).json["data"]
    age = NOW - dt.datetime.fromisoformat(only["created_at"])
    assert dt.timedelta() < age < dt.timedelta(days=1)
