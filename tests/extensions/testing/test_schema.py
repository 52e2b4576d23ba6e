"""Every response is what the published specification says: checked against its schemas, without the client."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from pinecone_backups_async.testing import FakePinecone
from tests.support.raw_request import NOW, SCHEMA, ask, backup, get, pages, validator
from tests.support.samples import CURL_EXAMPLE, OPENAPI_EXAMPLE, row

EXAMPLES: list[tuple[str, Any]] = [
    ("page", json.loads(CURL_EXAMPLE)),
    ("page", json.loads(OPENAPI_EXAMPLE)),
    ("error", {"error": {"code": "UNKNOWN", "message": "Internal server error"}, "status": 500}),
]
WRONG_ROWS: list[dict[str, Any]] = [
    {"region": None}, {"status": "ready"}, {"size_bytes": 1.5}, {"metric": None}, {"shards": 1},
    {"created_at": "2026-04-01"}, {"schema": {"fields": {"genre": {"filterable": False}}}},
    {"schema": {"fields": {"vector": {"type": "dense_vector", "dimension": 3}}}},
]  # fmt: skip
WRONG: list[tuple[str, Any]] = [
    ("page", {"data": None}), ("page", {"pagination": None}), ("page", {"data": [], "pagination": {"next": ""}}),
    ("receipt", {"restore_job_id": "j"}), ("index_list", {"indexes": [{"name": "a"}]}), ("restore_job_page", {}),
    *(("backup", row(**fields)) for fields in WRONG_ROWS),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body"), EXAMPLES)
def test_the_schema_accepts_the_specifications_examples(name: str, body: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator(name).validate(body)


@pytest.mark.parametrize(("name", "body"), WRONG)
def test_the_schema_refuses_what_is_no_body(name: str, body: Any) -> None:
    assert not validator(name).is_valid(body)


async def test_every_page_of_a_project_is_valid() -> None:
    async with FakePinecone(backups=250) as fake:
        found = await pages(fake, "GET /backups", limit=70)
    for page in found:
        validator("page").validate(page.json)
    assert [(len(page.ids), page.headers["Content-Type"]) for page in found] == [
        (number, "application/json") for number in (70, 70, 70, 40)
    ]
    assert len({page.headers["X-Pinecone-Request-Id"] for page in found}) == 4


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


def shapes(row: dict[str, Any]) -> set[str]:
    """Name what a client must be able to take."""
    fields = row.get("schema", {"fields": {}})["fields"]
    kinds = {"schema typed": "embedding" in fields, "schema old": {"filterable": True} in fields.values()}
    return {
        f"tags {row['tags'] and 'some'}", f"description {type(row['description']).__name__}",
        f"dimension {row['dimension'] and 'some'}", *(kind for kind, is_so in kinds.items() if is_so),
        *(f"{name} {name in row}" for name in ("metric", "schema", "size_bytes", "source_index_deleted_at")),
    }  # fmt: skip


SHAPES = {
    "tags None", "tags {}", "tags some", "description NoneType", "description str", "dimension 0", "schema typed",
    "schema old", "schema False", "metric True", "metric False", "size_bytes False", "source_index_deleted_at True",
}  # fmt: skip


async def test_a_project_has_rows_of_every_shape() -> None:
    async with FakePinecone(backups=100, now=NOW) as fake:
        rows = (await get(fake, limit=100)).json["data"]
        indexes = (await ask(fake, "GET /indexes")).json
    validator("index_list").validate(indexes)
    assert {index["name"] for index in indexes["indexes"]} == {row["source_index_name"] for row in rows}
    assert set().union(*map(shapes, rows)) >= SHAPES
    assert dt.timedelta() < NOW - dt.datetime.fromisoformat(rows[0]["created_at"]) < dt.timedelta(days=1)


KEY, VERSION = "Invalid API key.", "The X-Pinecone-Api-Version header must be 2025-10 or 2026-04 or 2026-07."


@pytest.mark.parametrize(("request_", "error"), [
    *(({"key": key}, (401, KEY)) for key in ("", "pcsk_wrong")),
    *(({"version": version}, (400, VERSION)) for version in (None, "", "2026-4", "2025-04", "unstable")),
])  # fmt: skip
async def test_a_wrong_key_or_version(fake: FakePinecone, request_: dict[str, Any], error: tuple[int, str]) -> None:
    assert (await get(fake, **request_)).error == error


@pytest.mark.parametrize("path", ["/", "/backups/", "/index", "/backups/a/b", "/restore-jobs/"])
async def test_an_unknown_path_is_a_404(fake: FakePinecone, path: str) -> None:
    assert (await ask(fake, f"GET {path}")).error == (404, f"GET {path} is not served here.")
