"""The methods of the family against the local server: what they send, what they return, what they refuse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest

import pinecone_backups_async as sdk
from pinecone_backups_async import Backup, BackupsClient, RestoreJob, RetryPolicy
from pinecone_backups_async.testing import Answer, FakePinecone
from tests.support.aioresponses_bridge import mocked_aiohttp
from tests.support.clients import client_of

INDEX = "products"
Call = Callable[[BackupsClient], Awaitable[object]]


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
    jobs = [
        RestoreJob(
            restore_job_id=f"job-{n}", backup_id="b", target_index_name=f"i{n}", target_index_id=f"id{n}",
            status="Completed", created_at=moment - dt.timedelta(minutes=n), percent_complete=100.0,
        )
        for n in range(25)
    ]  # fmt: skip
    async with FakePinecone() as fake, client_of(fake) as client:
        fake.add(*jobs)
        assert [len(page.data) async for page in client.list_restore_jobs(limit=10).pages()] == [10, 10, 5]
        assert await client.list_restore_jobs(limit=10, max_items=12).to_list() == jobs[:12]
        fake.odd_restore_listing = True
        found = [job.restore_job_id for job in await client.list_restore_jobs(limit=10).to_list()]
        assert len(set(found)) == len(found) < 25


@pytest.mark.parametrize("version", ["2025-10", "2026-04", "2026-07"])
async def test_each_api_version_works(version: Any) -> None:
    async with FakePinecone(backups=3, indexes=[INDEX]) as fake, client_of(fake, api_version=version) as client:
        assert len(await client.inventory()) == 3
        backup = await client.create_backup(INDEX, name="x")
        await client.wait_until_ready(backup)
        receipt = await client.create_index_from_backup(backup.backup_id, name="restored")
        assert (await client.wait_until_restored(receipt)).status == "Completed"
        assert {request.headers["X-Pinecone-Api-Version"] for request in fake.requests} == {version}


@pytest.mark.parametrize("version", ["2026-04", "2025-10", "2026-07"])
async def test_indexes_under_each_version(version: Any) -> None:
    """Version 2026-07 has no `spec`, but a `deployment`."""
    indexes = [
        sdk.Index(name="flat", host="flat.example", status={"ready": True}, spec={"serverless": {"cloud": "aws"}}),
        sdk.Index(name="pods", host="pods.example", status={"ready": True}, spec={"pod": {"pods": 1}}),
        sdk.Index(name="ours", host="ours.example", status={"ready": True}, spec={"byoc": {}}),
    ]
    async with FakePinecone(indexes=indexes) as fake, client_of(fake, api_version=version) as client:
        found = {index.name: index for index in await client.list_indexes()}
        assert {name: index.can_be_backed_up for name, index in found.items()} == {
            "flat": True, "pods": False, "ours": True,
        }  # fmt: skip
        assert all(("spec" in index.to_dict()) == bool(index.spec) for index in found.values())
        assert {bool(index.spec) for index in found.values()} == {version != "2026-07"}


@pytest.mark.parametrize("body", [b"{}", b'{"data": []}', b'{"indexes": null}'])
async def test_an_answer_without_indexes_is_an_error(body: bytes) -> None:
    async with FakePinecone() as fake, client_of(fake) as client:
        fake.play(Answer(body=body))
        with pytest.raises(sdk.ResponseParsingError, match="the response is not a list of indexes: "):
            await client.list_indexes()


REFUSED: dict[str, tuple[Call, str]] = {
    "describe a dot": (lambda c: c.describe_backup("."), "backup_id"),
    "describe two dots": (lambda c: c.describe_backup(".."), "backup_id"),
    "describe nothing": (lambda c: c.describe_backup(""), "backup_id"),
    "describe too much": (lambda c: c.describe_backup("x" * 513), "backup_id"),
    "describe a surrogate": (lambda c: c.describe_backup("\ud800"), "backup_id"),
    "describe None": (lambda c: c.describe_backup(None), "backup_id"),  # type: ignore[arg-type]
    "describe bytes": (lambda c: c.describe_backup(b"x"), "backup_id"),  # type: ignore[arg-type]
    "delete": (lambda c: c.delete_backup(".."), "backup_id"),
    "delete with a word": (lambda c: c.delete_backup("x", missing_ok="yes"), "missing_ok"),  # type: ignore[arg-type]
    "create": (lambda c: c.create_backup("", name="x"), "index_name"),
    "create with a number": (lambda c: c.create_backup("i", name=5), "name"),  # type: ignore[arg-type]
    "create with a surrogate": (lambda c: c.create_backup("i", name="\udfff"), "name"),
    "create with bytes": (lambda c: c.create_backup("i", description=b""), "description"),  # type: ignore[arg-type]
    "ensure without a name": (lambda c: c.ensure_backup("i", ""), "name"),
    "ensure with None": (lambda c: c.ensure_backup("i", None), "name"),  # type: ignore[arg-type]
    "ensure": (lambda c: c.ensure_backup("..", "x"), "index_name"),
    "restore": (lambda c: c.create_index_from_backup("", name="x"), "backup_id"),
    "restore to capitals": (lambda c: c.create_index_from_backup("b", name="New"), "name"),
    "restore to a dash": (lambda c: c.create_index_from_backup("b", name="-new"), "name"),
    "restore to a last dash": (lambda c: c.create_index_from_backup("b", name="new-"), "name"),
    "restore to nothing": (lambda c: c.create_index_from_backup("b", name=""), "name"),
    "restore to 46": (lambda c: c.create_index_from_backup("b", name="x" * 46), "name"),
    "restore to a line": (lambda c: c.create_index_from_backup("b", name="new\n"), "name"),
    "tags of numbers": (lambda c: c.create_index_from_backup("b", name="x", tags={"a": 1}), "tags"),  # type: ignore[dict-item]
    "tags as pairs": (lambda c: c.create_index_from_backup("b", name="x", tags=[("a", "b")]), "tags"),  # type: ignore[arg-type]
    "protection": (
        lambda c: c.create_index_from_backup("b", name="x", deletion_protection=True),  # type: ignore[arg-type]
        "deletion_protection",
    ),
    "job": (lambda c: c.describe_restore_job("."), "restore_job_id"),
    "wait for 0 s": (lambda c: c.wait_until_ready("b", timeout=0), "timeout"),
    "wait for nan": (lambda c: c.wait_until_restored("b", timeout=float("nan")), "timeout"),
    "wait for text": (lambda c: c.wait_until_deleted("b", timeout="5"), "timeout"),  # type: ignore[arg-type]
    "wait for nothing": (lambda c: c.wait_until_ready(""), "backup"),
    "wait for no job": (lambda c: c.wait_until_restored(5), "restore"),  # type: ignore[arg-type]
    "deleted of all": (lambda c: c.fetch_page(include_deleted=True), "include_deleted"),
    "deleted by a word": (lambda c: c.fetch_page(index_name="i", include_deleted="no"), "include_deleted"),  # type: ignore[arg-type]
    "index in the path": (lambda c: c.inventory(index_name=".."), "index_name"),
    "a call's timeout": (lambda c: c.list_indexes(timeout=-1), "timeout"),
    "an attempt's timeout": (lambda c: c.create_backup("i", attempt_timeout=True), "attempt_timeout"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_W11_bad_input_is_refused_before_any_request(case: str) -> None:
    call, argument = REFUSED[case]
    async with FakePinecone(indexes=["i"]) as fake, client_of(fake) as client:
        with pytest.raises(sdk.ConfigurationError, match=f"^{argument} ") as caught:
            await call(client)
        assert caught.value.argument == argument
        assert fake.requests == []


def test_an_unknown_api_version_is_refused() -> None:
    with pytest.raises(sdk.ConfigurationError, match="api_version must be one of 2026-04, 2025-10, 2026-07"):
        BackupsClient("key", api_version="2024-01")  # type: ignore[arg-type]


async def test_bad_arguments_of_a_listing_are_refused_at_once() -> None:
    client = BackupsClient("key")
    for listing in (client.list_backups, client.list_restore_jobs):
        for name, value in {"limit": 101, "max_items": -1, "timeout": 0, "pagination_token": ""}.items():
            with pytest.raises(sdk.ConfigurationError, match=f"^{name} "):
                listing(**{name: value})  # type: ignore[arg-type]
    await client.close()


@pytest.mark.parametrize(
    "backup_id", ["a/b", "a?b", "a#b", "a;b", "a%2Fb", "..a", "ü", "x" * 512, "日本", "a b", "a+b", "a&b=c"]
)
async def test_W11_any_id_reaches_the_service_encoded_once(backup_id: str) -> None:
    async with FakePinecone(backups=1) as fake, client_of(fake) as client:
        odd = attrs.evolve(fake.backups[0], backup_id=backup_id)
        fake.add(odd)
        assert await client.describe_backup(backup_id) == odd
        await client.delete_backup(backup_id)
        assert backup_id not in {backup.backup_id for backup in fake.backups}


async def test_the_exact_requests_that_leave() -> None:
    base = "https://api.pinecone.io"
    row = {
        "backup_id": "b", "source_index_name": "i", "source_index_id": "1", "status": "Pending", "cloud": "aws",
        "region": "us-east-1",
    }  # fmt: skip
    with mocked_aiohttp() as mocked:
        mocked.post(f"{base}/indexes/i/backups", status=201, payload=row)
        mocked.post(f"{base}/backups/b/create-index", status=202, payload={"restore_job_id": "j", "index_id": "n"})
        mocked.delete(f"{base}/backups/b", status=202)
        async with BackupsClient("key") as client:
            assert (await client.create_backup("i", name="é")).backup_id == "b"
            assert (await client.create_index_from_backup("b", name="new")).restore_job_id == "j"
            await client.delete_backup("b")
        sent = [(method, str(url), call.kwargs["data"]) for (method, url), [call] in mocked.requests.items()]
        assert sent == [
            ("POST", f"{base}/indexes/i/backups", b'{"name": "\\u00e9"}'),
            ("POST", f"{base}/backups/b/create-index", b'{"name": "new"}'),
            ("DELETE", f"{base}/backups/b", None),
        ]
        headers = next(iter(mocked.requests.values()))[0].kwargs["headers"]
        assert headers["Content-Type"] == "application/json"


async def test_a_posts_attempt_timeout_bounds_connecting() -> None:
    """Unless it is given for this very call."""
    async with FakePinecone(indexes=[INDEX], delay=0.3) as fake, client_of(fake, attempt_timeout=0.2) as client:
        await client.create_backup(INDEX)
        with pytest.raises(sdk.TransportTimeoutError):
            await client.create_backup(INDEX, attempt_timeout=0.2)
        with pytest.raises(sdk.TransportTimeoutError):
            await client.list_indexes()


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
    caplog.set_level("DEBUG", logger="pinecone_backups_async")
    async with FakePinecone(indexes=[INDEX]) as fake, client_of(fake) as client:
        fake.play(Answer.error(503, "UNAVAILABLE", "Down."), None)
        await client.fetch_page(limit=3)
    records = [vars(record) for record in caplog.records if "pinecone_method" in vars(record)]
    names = ("method", "path", "status", "request_id", "error")
    facts = [tuple(record[f"pinecone_{name}"] for name in names) for record in records]
    assert facts == [("GET", "/backups", 503, "fake-1", None), ("GET", "/backups", 200, "fake-2", None)]
    assert all(record["pinecone_milliseconds"] > 0 and record["pinecone_bytes"] > 0 for record in records)
    async with BackupsClient("k", base_url="http://127.0.0.1:1", retry=RetryPolicy(attempts=1)) as client:
        with pytest.raises(sdk.TransportError):
            await client.describe_backup("b")
    assert vars(caplog.records[-1])["pinecone_error"] == "TransportError"
    caplog.clear()
    caplog.set_level("INFO", logger="pinecone_backups_async")
    async with FakePinecone() as fake, client_of(fake) as client:
        await client.fetch_page()
    assert caplog.records == []
