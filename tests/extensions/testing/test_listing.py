"""The listing, asked without a client: its pages and tokens, the sample data, and bodies that the specification has."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import attrs
import jsonschema  # type: ignore[import-untyped]
import pytest

from pinecone_backups_async.testing import FakePinecone, sample_backups
from tests.support.raw_request import NOW, SCHEMA, ask, backup, get, pages, validator
from tests.support.samples import CURL_EXAMPLE, OPENAPI_EXAMPLE, row


@pytest.mark.parametrize(("query", "rows"), [
    *(({"version": version}, rows) for version, rows in [("2025-10", 10), ("2026-04", 10), ("2026-07", 100)]),
    *(({"limit": limit}, limit) for limit in (1, 99, 100)),
])  # fmt: skip
async def test_how_many_rows_a_page_has(query: dict[str, Any], rows: int) -> None:
    async with FakePinecone(backups=150) as fake:
        assert (await get(fake, **query)).ids == [backup.backup_id for backup in fake.backups[:rows]]


async def test_a_token_carries_its_page_size(fake: FakePinecone) -> None:
    """A limit beside it keeps the position and cuts the page anew; a full last page has a token too."""
    token = (await get(fake, limit=2)).next_token
    assert (await get(fake, paginationToken=token)).ids == ["c", "d"]
    shorter = await get(fake, paginationToken=token, limit=1)
    last = await get(fake, paginationToken=shorter.next_token)
    assert (shorter.ids, last.ids, (await get(fake, limit=5)).next_token) == (["c"], ["d"], None)
    full = await get(fake, limit=4)
    assert (await get(fake, paginationToken=full.next_token)).json == {"data": [], "pagination": None}


async def test_the_newest_come_first_and_the_undated_last() -> None:
    async with FakePinecone([backup("old", 9), backup("x", None), backup("new", 1), backup("y", None)]) as fake:
        assert (await get(fake)).ids == ["new", "old", "x", "y"]
        fake.add(backup("between", 3), attrs.evolve(backup("old", 9), status="Failed"))
        rows = (await get(fake)).json["data"]
    states = {"new": "Ready", "between": "Ready", "old": "Failed", "x": "Ready", "y": "Ready"}
    assert [(row["backup_id"], row["status"]) for row in rows] == list(states.items())


async def test_a_change_between_two_pages_shifts_the_second(fake: FakePinecone) -> None:
    """So a deletion hides a backup, and an insertion shows one twice."""
    token = (await get(fake, limit=2)).next_token
    fake.add(backup("fresh"))
    assert (await get(fake, paginationToken=token)).ids == ["b", "c"]
    fake.delete("fresh")
    fake.delete("a")
    assert (await get(fake, paginationToken=token)).ids == ["d"]
    with pytest.raises(KeyError, match="a"):
        fake.delete("a")


def test_a_project_is_worth_looking_at() -> None:
    """Six indexes, one of them made anew; most backups are Ready; the same `now` gives the same ones."""
    backups = sample_backups(250, now=NOW)
    assert sample_backups(250, now=NOW) == backups
    assert {b.backup_id for b in sample_backups(60, now=NOW)} < {b.backup_id for b in backups}
    times = [backup.created_at or NOW for backup in backups]
    assert times == sorted(times, reverse=True)
    assert NOW - dt.timedelta(days=60) < times[-1] < NOW - dt.timedelta(days=1) < times[0] < NOW
    assert len({backup.backup_id for backup in backups}) == 250
    assert len({backup.source_index_name for backup in backups}) == 6
    assert len({backup.source_index_id for backup in backups if backup.source_index_name == "docs-search"}) == 2
    statuses = [backup.status for backup in backups]
    assert statuses.count("Ready") > 225
    assert {"Initializing", "Pending", "Failed", "InitializationFailed"} < set(statuses)
    ends = [(b.created_at or NOW, b.source_index_deleted_at) for b in backups if b.source_index_deleted_at]
    assert {created < end for created, end in ends} == {True}


def test_ages_count_from_the_present_by_default() -> None:
    (newest,) = sample_backups(1)
    assert newest.created_at is not None
    assert dt.timedelta() < dt.datetime.now(dt.UTC) - newest.created_at < dt.timedelta(days=1)
    with pytest.raises(ValueError, match="count must not be negative, not -1"):
        sample_backups(-1)


async def test_a_project_has_rows_of_every_shape() -> None:
    """What a client must be able to take: fields that are absent, null, empty or 0, and both kinds of schema."""
    async with FakePinecone(backups=100, now=NOW) as fake:
        rows = (await get(fake, limit=100)).json["data"]
        indexes = (await ask(fake, "GET /indexes")).json
    validator("index_list").validate(indexes)
    assert {index["name"] for index in indexes["indexes"]} == {row["source_index_name"] for row in rows}
    fields = ["tags", "description", "dimension", "metric", "schema", "size_bytes", "source_index_deleted_at"]
    seen = {name: {json.dumps(row[name]) if name in row else "absent" for row in rows} for name in fields}
    assert {"null", "{}"} < seen["tags"]
    assert {"null", '"Before a bulk update"'} == seen["description"]
    assert {"0", "1536"} < seen["dimension"]
    assert all({"absent"} < seen[name] for name in fields[3:])
    assert all(kind in " ".join(seen["schema"]) for kind in ('"dense_vector"', '{"filterable": true}'))


NO_ROWS: list[dict[str, Any]] = [
    {"region": None}, {"status": "ready"}, {"size_bytes": 1.5}, {"metric": None}, {"shards": 1},
    {"created_at": "2026-04-01"}, {"schema": {"fields": {"genre": {"filterable": False}}}},
    {"schema": {"fields": {"vector": {"type": "dense_vector", "dimension": 3}}}},
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "valid"), [
    ("page", json.loads(CURL_EXAMPLE), True), ("page", json.loads(OPENAPI_EXAMPLE), True),
    ("error", {"error": {"code": "UNKNOWN", "message": "Internal server error"}, "status": 500}, True),
    ("page", {"data": None}, False), ("page", {"pagination": None}, False), ("restore_job_page", {}, False),
    ("page", {"data": [], "pagination": {"next": ""}}, False), ("receipt", {"restore_job_id": "j"}, False),
    ("index_list", {"indexes": [{"name": "a"}]}, False), *(("backup", row(**fields), False) for fields in NO_ROWS),
])  # fmt: skip
def test_the_schemas_tell_what_is_a_body(name: str, body: Any, valid: bool) -> None:
    """They accept the examples of the specification."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert validator(name).is_valid(body) is valid


async def test_every_page_of_a_project_is_valid() -> None:
    async with FakePinecone(backups=250) as fake:
        found = await pages(fake, "GET /backups", limit=70)
    for page in found:
        validator("page").validate(page.json)
    assert [len(page.ids) for page in found] == [70, 70, 70, 40]
    assert {page.headers["Content-Type"] for page in found} == {"application/json"}
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
