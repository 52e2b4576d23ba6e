"""The listing, the sample data, and what the official client makes of them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pinecone
import pytest
from pinecone.errors import exceptions

from pinecone_backups_async.testing import Answer, FakePinecone, sample_backups
from tests.support.raw_request import NOW, ask, backup, get, pages


@pytest.mark.parametrize(("query", "rows"), [
    ({"version": "2025-10"}, 10), ({"version": "2026-07"}, 100), ({}, 10), ({"limit": 1}, 1), ({"limit": 100}, 100),
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
    (today,) = (backup.created_at or NOW for backup in sample_backups(1))  # ages count from the present by default
    assert dt.timedelta() < dt.datetime.now(dt.UTC) - today < dt.timedelta(days=1)
    with pytest.raises(ValueError, match="count must not be negative, not -1"):
        sample_backups(-1)


async def test_rows_have_every_shape() -> None:
    """What a client must be able to take: fields that are absent, null, empty or 0, and both kinds of schema."""
    async with FakePinecone(backups=250, now=NOW) as fake:
        found = await pages(fake, "GET /backups", limit=70)
        indexes = (await ask(fake, "GET /indexes")).json["indexes"]
    assert [len(page.ids) for page in found] == [70, 70, 70, 40]
    assert len({page.headers["X-Pinecone-Request-Id"] for page in found}) == 4
    rows = [row for page in found for row in page.json["data"]]
    assert {index["name"] for index in indexes} == {row["source_index_name"] for row in rows}
    statuses = [row["status"] for row in rows]
    assert statuses.count("Ready") > 225
    assert {"Initializing", "Pending", "Failed", "InitializationFailed"} < set(statuses)
    fields = ["tags", "description", "dimension", "metric", "schema", "size_bytes", "source_index_deleted_at"]
    seen = {f"{name} {json.dumps(row[name]) if name in row else 'absent'}" for row in rows for name in fields}
    assert seen > {
        "tags null",
        "tags {}",
        "description null",
        "dimension 0",
        *(f"{name} absent" for name in fields[3:]),
    }
    assert all(kind in " ".join(seen) for kind in ('"dense_vector"', '{"filterable": true}'))


@pytest.fixture
async def official(fake: FakePinecone) -> AsyncIterator[Any]:
    make: Any = pinecone.AsyncPinecone  # pyright: ignore[reportUnknownMemberType]
    at_once = pinecone.RetryConfig(backoff_factor=0.001, max_wait=0.002)
    async with make(api_key=fake.api_key, host=fake.url, retry_config=at_once) as client:
        yield client


async def test_it_creates_describes_restores_and_deletes(fake: FakePinecone, official: Any) -> None:
    created = await official.backups.create(index_name="products", name="nightly", description="By hand")
    assert (created.status, created.name, created.description) == ("Initializing", "nightly", "By hand")
    assert (await official.backups.describe(backup_id=created.backup_id)).status == "Ready"
    index = await official.create_index_from_backup(name="copy", backup_id=created.backup_id, tags={"team": "search"})
    assert (index.name, index.status.ready, dict(index.tags)) == ("copy", True, {"team": "search"})
    receipt = await official.create_index_from_backup(name="other", backup_id="a", timeout=-1)
    job = await official.restore_jobs.describe(job_id=receipt.restore_job_id)
    assert (job.status, job.backup_id, job.target_index_id) == ("Completed", "a", receipt.index_id)
    assert {job.target_index_name for job in await official.restore_jobs.list()} == {"copy", "other"}
    assert {index.name async for index in official.indexes.list()} == set(fake.indexes)
    await official.backups.delete(backup_id=created.backup_id)
    page = await official.backups.list(index_name="products", include_deleted=True)
    assert [backup.backup_id for backup in page] == ["a", "b", "c", "d"]


async def test_after_a_lost_answer_it_repeats_what_was_done(fake: FakePinecone, official: Any) -> None:
    """Two backups, an error for a backup that it deleted, and one for its own index, whose job is lost."""
    fake.play(Answer.lost(503), None, Answer.lost(), None, Answer.lost(503))
    await official.backups.create(index_name="products", name="nightly")
    assert [row.name for row in fake.backups[:3]] == ["nightly", "nightly", None]
    with pytest.raises(exceptions.NotFoundError):
        await official.backups.delete(backup_id=fake.backups[0].backup_id)
    assert [row.name for row in fake.backups[:2]] == ["nightly", None]
    with pytest.raises(exceptions.ConflictError):
        await official.create_index_from_backup(name="copy", backup_id="a", timeout=-1)
    assert [job.target_index_name for job in fake.restore_jobs] == ["copy"]
