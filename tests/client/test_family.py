"""The methods of the family against the local server: what they send, what they return, what they refuse."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import pytest

import pinecone_backups_async as sdk
from pinecone_backups_async import Backup, RestoreJob, RetryPolicy
from pinecone_backups_async.testing import Answer, FakePinecone
from tests.support.clients import client_of

INDEX = "products"


async def test_create_describe_delete() -> None:
    async with FakePinecone(indexes=[INDEX]) as fake, client_of(fake) as client:
        created = await client.create_backup(INDEX, name="nightly", description="before the update")
        assert (created.name, created.description, created.status) == ("nightly", "before the update", "Initializing")
        assert fake.requests[0].json == {"name": "nightly", "description": "before the update"}
        described = await client.describe_backup(created.backup_id)
        assert (described.backup_id, described.status) == (created.backup_id, "Ready")
        await client.delete_backup(created.backup_id)
        assert fake.backups == ()
        with pytest.raises(sdk.NotFoundError):
            await client.delete_backup(created.backup_id)
        await client.delete_backup(created.backup_id, missing_ok=True)
        await client.create_backup(INDEX)
        assert fake.requests[-1].json == {}


async def test_restore() -> None:
    async with FakePinecone(indexes=[INDEX]) as fake, client_of(fake) as client:
        backup = await client.create_backup(INDEX)
        with pytest.raises(sdk.FailedPreconditionError):
            fake.looks_until_ready = 9
            await client.create_index_from_backup((await client.create_backup(INDEX)).backup_id, name="early")
        await client.describe_backup(backup.backup_id)
        receipt = await client.create_index_from_backup(
            backup.backup_id, name="restored", tags={"team": "search"}, deletion_protection="enabled"
        )
        body = {"name": "restored", "tags": {"team": "search"}, "deletion_protection": "enabled"}
        assert fake.requests[-1].json == body
        job = await client.describe_restore_job(receipt.restore_job_id)
        assert (job.backup_id, job.target_index_id) == (backup.backup_id, receipt.index_id)
        assert await client.list_restore_jobs().to_list() == [job]
        assert "restored" in {index.name for index in await client.list_indexes()}
        with pytest.raises(sdk.ConflictError):
            await client.create_index_from_backup(backup.backup_id, name="restored")


async def test_the_listing_of_one_index() -> None:
    async with FakePinecone(backups=60) as fake, client_of(fake) as client:
        ours = [backup for backup in fake.backups if backup.source_index_name == "docs-search"]
        living = [backup for backup in ours if backup.source_index_deleted_at is None]
        assert await client.list_backups(index_name="docs-search", limit=3).to_list() == living
        fake.requests.clear()
        both = await client.list_backups(index_name="docs-search", include_deleted=True, limit=3).to_list()
        assert (both, len(both) > len(living)) == (ours, True)
        assert {request.query["include_deleted"] for request in fake.requests} == {"true"}
        assert await client.inventory(index_name="docs-search") == living
        page = await client.fetch_page(index_name="docs-search", include_deleted=True, limit=2)
        assert page.data == tuple(ours[:2])
        with pytest.raises(sdk.NotFoundError):
            await client.list_backups(index_name="never-there").to_list()


async def test_restore_jobs_are_paged_and_each_comes_once() -> None:
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    times = [moment - dt.timedelta(minutes=n) for n in range(25)]
    job = RestoreJob(
        restore_job_id="j", backup_id="b", target_index_name="i", target_index_id="1", status="Completed",
        created_at=moment, percent_complete=100.0,
    )  # fmt: skip
    jobs = [attrs.evolve(job, restore_job_id=f"job-{n}", created_at=created) for n, created in enumerate(times)]
    async with FakePinecone() as fake, client_of(fake) as client:
        fake.add(*jobs)
        assert [len(page.data) async for page in client.list_restore_jobs(limit=10).pages()] == [10, 10, 5]
        assert await client.list_restore_jobs(limit=10, max_items=12).to_list() == jobs[:12]
        fake.odd_restore_listing = True
        found = [job.restore_job_id for job in await client.list_restore_jobs(limit=10).to_list()]
        assert len(set(found)) == len(found) < 25


@pytest.mark.parametrize("version", ["2025-10", "2026-04", "2026-07"])
async def test_each_api_version_works(version: Any) -> None:
    """Version 2026-07 has no `spec` of an index, but a `deployment`."""
    indexes = [
        sdk.Index(name=name, host=f"{name}.example", status={"ready": True}, spec={kind: {"cloud": "aws"}})
        for name, kind in (("flat", "serverless"), ("pods", "pod"), ("ours", "byoc"))
    ]
    async with FakePinecone(backups=3, indexes=indexes) as fake, client_of(fake, api_version=version) as client:
        assert len(await client.inventory()) == 3
        backup = await client.create_backup("flat", name="x")
        await client.wait_until_ready(backup)
        found = [index for index in await client.list_indexes() if index.name in {"flat", "pods", "ours"}]
        assert {index.name for index in found if index.can_be_backed_up} == {"flat", "ours"}
        assert [(bool(index.spec), "spec" in index.to_dict()) for index in found] == [(version != "2026-07",) * 2] * 3
        receipt = await client.create_index_from_backup(backup.backup_id, name="restored")
        assert (await client.wait_until_restored(receipt)).status == "Completed"
        assert {request.headers["X-Pinecone-Api-Version"] for request in fake.requests} == {version}


async def test_W11_any_id_reaches_the_service_encoded_once() -> None:
    async with FakePinecone(backups=1) as fake, client_of(fake) as client:
        for backup_id in ("a/b", "a?b", "a#b", "a;b", "a%2Fb", "..a", "ü", "x" * 512, "日本", "a b", "a+b", "a&b=c"):
            odd = attrs.evolve(fake.backups[0], backup_id=backup_id)
            fake.add(odd)
            assert await client.describe_backup(backup_id) == odd
            await client.delete_backup(backup_id)
            assert backup_id not in {backup.backup_id for backup in fake.backups}


async def test_a_posts_attempt_timeout_bounds_connecting() -> None:
    """Unless it is given for this very call."""
    policy = RetryPolicy(attempts=1)
    async with FakePinecone(indexes=[INDEX], delay=0.3) as fake:
        async with client_of(fake, retry=policy, attempt_timeout=0.2) as client:
            await client.create_backup(INDEX)
            for call in (client.create_backup(INDEX, attempt_timeout=0.2), client.list_indexes()):
                with pytest.raises(sdk.TransportTimeoutError):
                    await call


async def test_ensure_adopts_the_newest_usable_backup() -> None:
    now = dt.datetime.now(dt.UTC)

    def backup(backup_id: str, age: int | None, **facts: Any) -> Backup:
        created = None if age is None else now - dt.timedelta(days=age)
        return attrs.evolve(model, backup_id=backup_id, name="nightly", created_at=created, **facts)

    async with FakePinecone(backups=1) as fake, client_of(fake) as client:
        model = fake.backups[0]
        index = model.source_index_name
        fake.add(backup("failed", 0, status="Failed"), backup("odd", 0, status="Exploded"), backup("undated", None))
        fake.add(backup("old", 9), backup("new", 3, status="Pending"), backup("older", 10))
        assert (await client.ensure_backup(index, "nightly")).backup_id == "new"
        assert {request.method for request in fake.requests} == {"GET"}
        created = await client.ensure_backup(index, "weekly", description="d")
        assert fake.requests[-1].json == {"name": "weekly", "description": "d"}
        assert (await client.ensure_backup(index, "weekly")).backup_id == created.backup_id


async def test_an_attempt_is_one_debug_record(caplog: pytest.LogCaptureFixture) -> None:
    """Other levels have no record of it."""
    caplog.set_level("INFO", logger="pinecone_backups_async")
    async with FakePinecone(indexes=[INDEX]) as fake, client_of(fake) as client:
        await client.fetch_page()
        assert caplog.records == []
        caplog.set_level("DEBUG", logger="pinecone_backups_async")
        fake.play(Answer.error(503, "UNAVAILABLE", "Down."), None, Answer(dropped=True))
        await client.fetch_page(limit=3)
        with pytest.raises(sdk.TransportError):
            await client.create_backup(INDEX)
    records = [vars(record) for record in caplog.records if "pinecone_method" in vars(record)]
    names = ("method", "path", "status", "request_id", "error")
    assert [tuple(record[f"pinecone_{name}"] for name in names) for record in records] == [
        ("GET", "/backups", 503, "fake-2", None),
        ("GET", "/backups", 200, "fake-3", None),
        ("POST", f"/indexes/{INDEX}/backups", None, None, "TransportError"),
    ]
    assert all(record["pinecone_milliseconds"] > 0 for record in records)
    assert [record["pinecone_bytes"] > 0 for record in records] == [True, True, False]
