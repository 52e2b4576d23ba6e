"""What happens with time: looks finish what was begun, find what is new and lose what was deleted."""

from __future__ import annotations

import datetime as dt

import pytest

from pinecone_backups_async.testing import FakePinecone
from tests.support.raw_request import NOW, ask, backup, get


async def create(fake: FakePinecone, **body: str) -> str:
    created = await ask(fake, "POST /indexes/products/backups", json=body)
    assert created.status == 201
    backup_id: str = created.json["backup_id"]
    return backup_id


async def restore(fake: FakePinecone) -> str:
    job_id: str = (await ask(fake, "POST /backups/a/create-index", json={"name": "copy"})).json["restore_job_id"]
    return job_id


async def looks(fake: FakePinecone, path: str, number: int = 4) -> list[str | int]:
    """Describe something again and again; return each status: that of the thing, or that of the response."""
    replies = [await ask(fake, f"GET {path}") for _ in range(number)]
    return [reply.json["status"] if reply.status == 200 else reply.status for reply in replies]


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, ["Ready"] * 4),
        ({"looks_until_ready": 3}, ["Initializing", "Initializing", "Ready", "Ready"]),
        ({"looks_until_ready": 2, "backup_outcome": "Failed"}, ["Initializing", "Failed", "Failed", "Failed"]),
        ({"backup_outcome": "Exploded"}, ["Exploded"] * 4),
        ({"lag": 2}, [404, 404, "Ready", "Ready"]),
        ({"lag": 1, "looks_until_ready": 2}, [404, "Initializing", "Ready", "Ready"]),
        ({"lag": 1, "looks_until_ready": 0}, [404, "Ready", "Ready", "Ready"]),
    ],
)
async def test_looks_finish_a_backup(settings: dict[str, int | str], found: list[str | int]) -> None:
    async with FakePinecone([backup("a")]) as fake:
        for name, value in settings.items():
            setattr(fake, name, value)
        assert await looks(fake, f"/backups/{await create(fake)}") == found


@pytest.mark.parametrize(
    ("settings", "found", "state"),
    [
        ({}, ["Completed"] * 4, "Ready"),
        ({"looks_until_restored": 3, "lag": 1}, [404, "Pending", "Pending", "Completed"], "Ready"),
        ({"restore_outcome": "Cancelled", "looks_until_restored": 2}, ["Pending"] + ["Cancelled"] * 3, "InitializationFailed"),
        ({"looks_until_restored": 9}, ["Pending"] * 4, "Initializing"),
    ],
)  # fmt: skip
async def test_looks_finish_a_restore_job(settings: dict[str, int | str], found: list[str | int], state: str) -> None:
    async with FakePinecone([backup("a")]) as fake:
        for name, value in settings.items():
            setattr(fake, name, value)
        job_id = await restore(fake)
        assert await looks(fake, f"/restore-jobs/{job_id}") == found
        assert fake.indexes["copy"].state == state
        assert ("percent_complete" in (await ask(fake, f"GET /restore-jobs/{job_id}")).json) == (state == "Ready")


async def test_a_look_at_an_index_is_one_at_its_restore_job() -> None:
    async with FakePinecone([backup("a")]) as fake:
        fake.looks_until_restored = 2
        await restore(fake)
        states = [(await ask(fake, "GET /indexes/copy")).json["status"]["state"] for _ in range(3)]
        assert states == ["Initializing", "Ready", "Ready"]


async def test_a_restore_job_survives_its_index() -> None:
    async with FakePinecone([backup("a")]) as fake:
        job_id = await restore(fake)
        del fake.indexes["copy"]
        assert await looks(fake, f"/restore-jobs/{job_id}", 1) == ["Completed"]
        assert (await ask(fake, "GET /restore-jobs")).json["data"] == []


async def test_the_first_page_of_a_listing_is_a_look_and_later_ones_are_none() -> None:
    async with FakePinecone([backup(name) for name in "abcd"]) as fake:
        fake.lag = 1
        await create(fake, name="new")
        first = await get(fake, limit=2)
        assert first.ids == ["a", "b"]
        assert first.next_token is not None
        assert (await get(fake, paginationToken=first.next_token)).ids == ["c", "d"]
        rows = (await get(fake)).json["data"]
        assert [(row["name"], row["status"]) for row in rows[:2]] == [("new", "Ready"), (None, "Ready")]


async def test_a_listing_of_another_index_is_no_look() -> None:
    async with FakePinecone([backup("a")], indexes=["other"]) as fake:
        await create(fake)
        await ask(fake, "GET /indexes/other/backups")
        assert fake.backups[0].status == "Initializing"
        await ask(fake, "GET /indexes/products/backups")
        assert fake.backups[0].status == "Ready"


async def test_what_is_deleted_is_found_for_as_many_looks_as_the_lag() -> None:
    async with FakePinecone([backup("a"), backup("b", 1)]) as fake:
        fake.lag = 2
        assert (await ask(fake, "DELETE /backups/a")).status == 202
        assert [row.backup_id for row in fake.backups] == ["b"]
        assert (await ask(fake, "DELETE /backups/a")).status == 404
        assert (await get(fake)).ids == ["a", "b"]
        assert await looks(fake, "/backups/a") == ["Ready", 404, 404, 404]
        assert (await get(fake)).ids == ["b"]
        fake.delete("b")
        assert (await get(fake)).ids == []


async def test_a_deleted_backup_can_be_added_again() -> None:
    async with FakePinecone([backup("a")]) as fake:
        fake.lag = 1
        await ask(fake, "DELETE /backups/a")
        fake.add(backup("a"))
        assert await looks(fake, "/backups/a") == ["Ready"] * 4


async def test_a_month_passes_as_the_test_says() -> None:
    async with FakePinecone(indexes=["products"], now=NOW) as fake:
        fake.max_backups = 25
        for day in range(1, 31):
            fake.now = NOW + dt.timedelta(days=day)
            if len(fake.backups) == 25:
                fake.delete(fake.backups[-1].backup_id)
            await create(fake)
        assert [row.created_at for row in fake.backups] == [NOW + dt.timedelta(days=day) for day in range(30, 5, -1)]


async def test_without_a_look_or_a_set_time_it_is_finished_now() -> None:
    async with FakePinecone(indexes=["products"]) as fake:
        fake.looks_until_ready = 0
        new = (await ask(fake, "POST /indexes/products/backups", json={})).json
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
