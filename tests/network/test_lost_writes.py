"""W: writes whose response is lost: one POST that may have acted, a delete that knows, a restore that finds its job."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Awaitable
from typing import Any

import attrs
import pytest

import pinecone_backups_async as sdk
from pinecone_backups_async import BackupsClient, RetryPolicy
from pinecone_backups_async.testing import Answer, FakePinecone
from tests.stress.writes import FINAL, INDEX, TRANSIENT, backups_made, ours
from tests.support.timing import Sleeps

LOST = {
    **{name: answer for name, answer in (TRANSIENT | FINAL).items() if name != "429"},
    "garbled 201": Answer.lost(201, body=b'{"backup_id": "x'),
    "late": Answer.lost(201, delay=1.0),
}


@pytest.fixture
async def fake() -> AsyncGenerator[FakePinecone]:
    """A project with one index and one backup of it."""
    async with FakePinecone(backups=1, indexes=[INDEX]) as project:
        yield project


@pytest.fixture
async def client(fake: FakePinecone) -> AsyncGenerator[BackupsClient]:
    async with ours(fake) as clients_own:
        yield clients_own


async def error_of(call: Awaitable[object], kind: type[sdk.BackupsError] = sdk.ServiceError) -> Any:
    with pytest.raises(kind) as caught:
        await call
    return caught.value


@pytest.mark.parametrize("kind", LOST)
async def test_W1_a_lost_create_is_one_post_and_says_so(kind: str, fake: FakePinecone, client: BackupsClient) -> None:
    fake.play(LOST[kind])
    error = await error_of(client.create_backup(INDEX, name="once", timeout=0.4), sdk.BackupsError)
    assert "the outcome is unknown: it may have happened" in str(error)
    assert (error.outcome_unknown, error.attempts) == (True, 1)
    assert (len(fake.requests), len(fake.backups)) == (1, 1 + 1)


async def test_W1_close_during_a_create_leaves_it_unknown(fake: FakePinecone, client: BackupsClient) -> None:
    fake.play(Answer.lost(201, delay=5.0))
    task = asyncio.create_task(client.create_backup(INDEX))
    await asyncio.sleep(0.3)
    assert len(fake.backups) == 1 + 1
    await client.close()
    assert (await error_of(task, sdk.ClientClosedError)).outcome_unknown


# W2, W4, each failure of the table of outcomes: tests/unit/test_retry.py.
@pytest.mark.parametrize("method", ["create_backup", "delete_backup"])
async def test_W2_a_write_that_was_not_sent_is_sent_again(method: str) -> None:
    async with BackupsClient("k", base_url="http://127.0.0.1:9", retry=RetryPolicy(sleep=Sleeps())) as client:
        error = await error_of(getattr(client, method)("x"), sdk.TransportError)
    assert (error.attempts, error.outcome_unknown, error.sent) == (4, False, False)


@pytest.mark.parametrize("kind", ["500", "408", "UNAVAILABLE", "dropped"])
async def test_W3_a_lost_delete_is_a_success(kind: str, fake: FakePinecone, client: BackupsClient) -> None:
    fake.play(LOST[kind])
    await client.delete_backup(fake.backups[0].backup_id)
    assert (len(fake.requests), fake.backups) == (2, ())


async def test_W3_a_404_after_a_refusal_is_an_error(fake: FakePinecone, client: BackupsClient) -> None:
    fake.play(TRANSIENT["429"])
    error = await error_of(client.delete_backup("b"), sdk.NotFoundError)
    assert (error.outcome_unknown, error.attempts) == (False, 2)


@pytest.mark.parametrize("kind", ["503", "302", "dropped", "garbled"])
async def test_W5_a_lost_restore_finds_its_job(kind: str, fake: FakePinecone, client: BackupsClient) -> None:
    fake.play(LOST[kind])
    receipt = await client.create_index_from_backup(fake.backups[0].backup_id, name="restored")
    job = fake.restore_jobs[0]
    assert (receipt.restore_job_id, receipt.index_id) == (job.restore_job_id, job.target_index_id)
    assert [request.method for request in fake.requests] == ["POST", "GET"]


async def test_W5_an_earlier_rehearsal_is_not_taken_for_it(fake: FakePinecone, client: BackupsClient) -> None:
    backup_id = fake.backups[0].backup_id
    await client.wait_until_restored(await client.create_index_from_backup(backup_id, name="rehearsal"))
    job = fake.restore_jobs[0]
    fake.add(attrs.evolve(job, created_at=job.created_at - dt.timedelta(seconds=120)))
    fake.play(Answer(status=503))
    assert (await error_of(client.create_index_from_backup(backup_id, name="rehearsal"))).outcome_unknown
    assert len(fake.requests) == 2 + 1 + 5


async def test_W5_a_look_that_fails_raises_the_posts_own_error(fake: FakePinecone, client: BackupsClient) -> None:
    fake.play(Answer.lost(524), Answer.error(401, "UNAUTHENTICATED", "x"))
    error = await error_of(client.create_index_from_backup(fake.backups[0].backup_id, name="new"))
    assert (error.status, len(fake.requests)) == (524, 2)
    fake.play(None, Answer.lost(524), Answer.error(401, "UNAUTHENTICATED", "x"))
    assert (await error_of(client.ensure_backup(INDEX, "new"))).status == 524


async def test_W5_looks_end_with_the_calls_time(fake: FakePinecone, client: BackupsClient) -> None:
    """Of the looks after 0, 1, 2 and 4 s the last would begin too late."""
    fake.play(Answer(status=503))
    restoring = client.create_index_from_backup(fake.backups[0].backup_id, name="new", timeout=3.9)
    assert (await error_of(restoring)).outcome_unknown
    assert len(fake.requests) == 1 + 3


async def test_W5_an_odd_restore_listing_does_no_harm(fake: FakePinecone, client: BackupsClient) -> None:
    """A listing that omits and repeats gives the receipt or the POST's own error."""
    fake.odd_restore_listing = True
    for number in range(5):
        fake.play(Answer.lost(503))
        try:
            await client.create_index_from_backup(fake.backups[0].backup_id, name=f"new-{number}")
        except sdk.ServiceError as error:
            assert error.outcome_unknown  # noqa: PT017
    assert len({job.target_index_name for job in fake.restore_jobs}) == 5


async def test_W6_stale_connections_do_not_matter_to_a_post() -> None:
    """A POST goes over a new connection, however many kept ones are stale."""
    async with FakePinecone() as gone:
        client, port = ours(gone), int(gone.url.rpartition(":")[2])
        await asyncio.gather(*[client.fetch_page() for _ in range(10)])
    async with client, FakePinecone(indexes=[INDEX], port=port) as fake:
        await asyncio.gather(*[client.create_backup(INDEX, name=f"{n}") for n in range(10)])
        assert len(fake.backups) == len(fake.requests) == 10


async def test_W4_ensure_never_makes_two() -> None:
    """Each job runs twice, while 30 % of the responses are lost."""
    names = await backups_made(seed=1, names=100, create=ours)
    assert len(set(names)) == len(names) == 100
