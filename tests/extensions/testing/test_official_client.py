"""The official client finds here what ours finds; and what it makes of a lost answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pinecone
import pytest
from pinecone.errors import exceptions

from pinecone_backups_async.testing import Answer, FakePinecone
from tests.support.clients import client_of
from tests.support.other_clients import official_pages
from tests.support.raw_request import ask

EAGER: Any = {"retry_config": pinecone.RetryConfig(backoff_factor=0.001, max_wait=0.002)}


@pytest.fixture
async def official(fake: FakePinecone) -> AsyncIterator[Any]:
    make: Any = pinecone.AsyncPinecone  # pyright: ignore[reportUnknownMemberType]
    async with make(api_key=fake.api_key, host=fake.url, **EAGER) as client:
        yield client


@pytest.mark.parametrize(("count", "limit"), [(250, 100), (200, 100), (25, 7), (0, 10)])
async def test_the_official_client_lists_the_same_pages(count: int, limit: int) -> None:
    """250 backups end in a short page, 200 in an empty one."""
    async with FakePinecone(backups=count) as fake, client_of(fake) as client:
        ours = [[backup.backup_id for backup in page.data] async for page in client.list_backups(limit=limit).pages()]
        assert await official_pages(fake.url, limit, key=fake.api_key) == ours
    assert sum(map(len, ours)) == count


async def test_it_creates_describes_restores_and_deletes(fake: FakePinecone, official: Any) -> None:
    created = await official.backups.create(index_name="products", name="nightly", description="By hand")
    assert (created.status, created.name, created.description) == ("Initializing", "nightly", "By hand")
    ready = await official.backups.describe(backup_id=created.backup_id)
    row = (await ask(fake, f"GET /backups/{created.backup_id}", version="2026-07")).json
    assert {name: value for name, value in ready.to_dict().items() if value is not None or name in row} == row
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


@pytest.mark.parametrize("answer", [Answer.lost(503), Answer.lost()])
async def test_after_a_lost_answer_it_repeats_what_was_done(fake: FakePinecone, official: Any, answer: Answer) -> None:
    """Two backups, an error for a backup that it deleted, and one for its own index, whose job is lost."""
    fake.play(answer, None, answer, None, answer)
    await official.backups.create(index_name="products", name="nightly")
    assert [row.name for row in fake.backups[:3]] == ["nightly", "nightly", None]
    with pytest.raises(exceptions.NotFoundError):
        await official.backups.delete(backup_id=fake.backups[0].backup_id)
    assert [row.name for row in fake.backups[:2]] == ["nightly", None]
    with pytest.raises(exceptions.ConflictError):
        await official.create_index_from_backup(name="copy", backup_id="a", timeout=-1)
    assert [job.target_index_name for job in fake.restore_jobs] == ["copy"]
