"""What happens with time: looks finish what was begun, find what is new and lose what was deleted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pinecone_backups_async.testing import FakePinecone
from tests.support.raw_request import NOW, ask, backup, get

CREATE = "POST /indexes/products/backups"


async def create(fake: FakePinecone, **body: str) -> str:
    return str((await ask(fake, CREATE, json=body)).json["backup_id"])


async def restore(fake: FakePinecone) -> str:
    return str((await ask(fake, "POST /backups/a/create-index", json={"name": "copy"})).json["restore_job_id"])


async def looks(fake: FakePinecone, path: str, number: int = 4) -> str:
    """Describe something again and again; return each status: that of the thing, or that of the response."""
    replies = [await ask(fake, f"GET {path}") for _ in range(number)]
    return " ".join(reply.json["status"] if reply.status == 200 else str(reply.status) for reply in replies)


BACKUPS: list[tuple[dict[str, Any], str]] = [
    ({}, "Ready Ready Ready Ready"),
    ({"looks_until_ready": 3}, "Initializing Initializing Ready Ready"),
    ({"looks_until_ready": 2, "backup_outcome": "Failed"}, "Initializing Failed Failed Failed"),
    ({"backup_outcome": "Exploded"}, "Exploded Exploded Exploded Exploded"),
    ({"lag": 2}, "404 404 Ready Ready"),
    ({"lag": 1, "looks_until_ready": 2}, "404 Initializing Ready Ready"),
    ({"lag": 1, "looks_until_ready": 0}, "404 Ready Ready Ready"),
]
JOBS: list[tuple[dict[str, Any], str, str]] = [
    ({}, "Completed Completed Completed Completed", "Ready"),
    ({"looks_until_restored": 3, "lag": 1}, "404 Pending Pending Completed", "Ready"),
    ({"looks_until_restored": 2, "restore_outcome": "Failed"}, "Pending Failed Failed Failed", "InitializationFailed"),
    ({"looks_until_restored": 9}, "Pending Pending Pending Pending", "Initializing"),
]


@pytest.mark.parametrize(("settings", "found"), BACKUPS)
async def test_looks_finish_a_backup(fake: FakePinecone, settings: dict[str, Any], found: str) -> None:
    for name, value in settings.items():
        setattr(fake, name, value)
    assert await looks(fake, f"/backups/{await create(fake)}") == found


@pytest.mark.parametrize(("settings", "found", "state"), JOBS)
async def test_looks_finish_a_job(fake: FakePinecone, settings: dict[str, Any], found: str, state: str) -> None:
    """It ends, and is found, even when its index is gone."""
    for name, value in settings.items():
        setattr(fake, name, value)
    job_id = await restore(fake)
    assert (await looks(fake, f"/restore-jobs/{job_id}"), fake.indexes["copy"].state) == (found, state)
    assert ("percent_complete" in (await ask(fake, f"GET /restore-jobs/{job_id}")).json) == (state == "Ready")
    del fake.indexes["copy"]
    assert (await looks(fake, f"/restore-jobs/{job_id}", 9)).endswith(f" {fake.restore_outcome}")
    assert (await ask(fake, "GET /restore-jobs")).json["data"] == []


async def test_a_look_at_an_index_is_one_at_its_job(fake: FakePinecone) -> None:
    fake.looks_until_restored = 2
    await restore(fake)
    states = [(await ask(fake, "GET /indexes/copy")).json["status"]["state"] for _ in range(3)]
    assert states == ["Initializing", "Ready", "Ready"]


async def test_a_first_page_is_a_look_and_a_later_one_none(fake: FakePinecone) -> None:
    fake.lag = 1
    await create(fake, name="new")
    first = await get(fake, limit=2)
    assert (first.ids, (await get(fake, paginationToken=first.next_token)).ids) == (["a", "b"], ["c", "d"])
    rows = (await get(fake)).json["data"]
    assert [(row["name"], row["status"]) for row in rows[:2]] == [("new", "Ready"), (None, "Ready")]


async def test_a_listing_of_another_index_is_no_look(fake: FakePinecone) -> None:
    fake.add(backup("x", source_index_name="other"))
    await create(fake)
    for index, status in ("other", "Initializing"), ("products", "Ready"):
        await ask(fake, f"GET /indexes/{index}/backups")
        assert next(row.status for row in fake.backups if row.source_index_name == "products") == status


async def test_what_is_deleted_is_found_for_the_lag(fake: FakePinecone) -> None:
    fake.lag = 2
    assert (await ask(fake, "DELETE /backups/a")).status == 202
    assert [row.backup_id for row in fake.backups] == ["b", "c", "d"]
    assert (await ask(fake, "DELETE /backups/a")).status == 404
    assert (await get(fake)).ids == ["a", "b", "c", "d"]
    assert await looks(fake, "/backups/a") == "Ready 404 404 404"
    fake.delete("b")
    assert (await get(fake)).ids == ["c", "d"]
    await ask(fake, "DELETE /backups/c")
    fake.add(backup("c"))  # a deleted one can be added again
    assert await looks(fake, "/backups/c") == "Ready Ready Ready Ready"


async def test_a_month_passes_as_the_test_says(fake: FakePinecone) -> None:
    fake.max_backups = 25
    for day in range(1, 31):
        fake.now = NOW + dt.timedelta(days=day)
        if len(fake.backups) == 25:
            fake.delete(fake.backups[-1].backup_id)
        await create(fake)
    assert [row.created_at for row in fake.backups] == [NOW + dt.timedelta(days=day) for day in range(30, 5, -1)]


async def test_without_a_look_or_a_set_time_it_is_now(fake: FakePinecone) -> None:
    fake.looks_until_ready, fake.now = 0, None
    new = (await ask(fake, CREATE, json={})).json
    assert new["status"] == "Ready"
    assert abs(dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(new["created_at"])) < dt.timedelta(minutes=1)


async def test_a_backup_is_as_large_as_the_last_ready_one() -> None:
    earlier = [backup("a", 1, size_bytes=7, tags={"team": "x"}), backup("b", 0, status="Failed", size_bytes=0)]
    async with FakePinecone(earlier) as fake:
        new = (await ask(fake, f"GET /backups/{await create(fake)}")).json
        assert (new["size_bytes"], new["tags"], new["source_index_id"]) == (7, {"team": "x"}, "idx-1")
        fake.delete("a")
        fake.delete(new["backup_id"])
        new = (await ask(fake, f"GET /backups/{await create(fake)}")).json
        assert (new["size_bytes"], new["source_index_id"]) == (0, "idx-1")
