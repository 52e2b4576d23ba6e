"""W7, W8: waits look, what ends them, and that they end in time. Sleep and clock are the test's own mostly."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator
from typing import Any

import attrs
import pytest

import pinecone_backups_async as sdk
from pinecone_backups_async import Backup, BackupsClient, RetryPolicy
from pinecone_backups_async.testing import Answer, FakePinecone
from tests.support import clients
from tests.support.timing import Clock, Sleeps

DOWN = Answer.error(503, "UNAVAILABLE", "Down.")
MISSING = Answer.error(404, "NOT_FOUND", "Not found.")


@attrs.define
class Looks(Clock):
    """A clock that remembers when the service was asked, and can jump at the third time."""

    times: list[float] = attrs.field(factory=list[float])
    number: float = 0.5
    jump: float = 0.0

    def look(self, _: object) -> None:
        self.times.append(self.now)
        self.now += self.jump if len(self.times) == 3 else 0


@pytest.fixture
async def fake() -> AsyncGenerator[FakePinecone]:
    """A project with one backup."""
    async with FakePinecone(backups=1) as project:
        yield project


@pytest.fixture
def clock(fake: FakePinecone) -> Looks:
    looks = Looks()
    fake.before_answer = looks.look
    return looks


@pytest.fixture
async def client(fake: FakePinecone, clock: Looks) -> AsyncGenerator[BackupsClient]:
    policy = RetryPolicy(sleep=clock.sleep, clock=clock, random=lambda: clock.number)
    async with clients.client_of(fake, retry=policy) as clients_own:
        yield clients_own


def with_status(backup: Backup, status: str) -> Answer:
    return Answer(body=attrs.evolve(backup, status=status).to_dict())


async def test_W7_looks_are_spaced_and_counted(fake: FakePinecone, clock: Looks, client: BackupsClient) -> None:
    """26 looks in 600 s, the last 2 s before the end."""
    fake.play(*[with_status(fake.backups[0], "Initializing")] * 100)
    with pytest.raises(sdk.WaitTimeoutError, match="its last status was Initializing") as caught:
        await client.wait_until_ready(fake.backups[0], timeout=600)
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.last and caught.value.last.status) == "Initializing"
    gaps = [later - earlier for earlier, later in itertools.pairwise(clock.times)]
    assert (len(clock.times), clock.times[0], clock.times[-1]) == (26, 0.0, 598.0)
    assert (gaps[:3], max(gaps)) == ([2.0, 3.0, 4.5], 30.0)


@pytest.mark.parametrize(("number", "factor"), [(0.0, 0.75), (1.0, 1.25)])
async def test_W7_jitter_is_a_quarter(
    number: float, factor: float, fake: FakePinecone, clock: Looks, client: BackupsClient
) -> None:
    clock.number = number
    fake.play(*[with_status(fake.backups[0], "Pending")] * 3)
    await client.wait_until_ready(fake.backups[0].backup_id)
    assert clock.times == [0.0, 2 * factor, 5 * factor, 9.5 * factor]


# Which status means what: tests/unit/test_models.py.
@pytest.mark.parametrize(("status", "looks"), [("Ready", 1), ("Pending", 2), ("Failed", 1), ("Exploded", 1), ("", 1)])
async def test_W7_each_outcome_of_a_backup(
    status: str, looks: int, fake: FakePinecone, clock: Looks, client: BackupsClient
) -> None:
    fake.play(with_status(fake.backups[0], status))
    if status in {"Ready", "Pending"}:
        assert (await client.wait_until_ready(fake.backups[0].backup_id)).status == "Ready"
    else:
        with pytest.raises(sdk.WaitFailedError) as caught:
            await client.wait_until_ready(fake.backups[0].backup_id)
        assert (caught.value.last and caught.value.last.status) == status
    assert len(clock.times) == looks


@pytest.mark.parametrize("status", ["Completed", "Running", "Cancelled"])
async def test_W7_each_outcome_of_a_restore_job(status: str, fake: FakePinecone, client: BackupsClient) -> None:
    receipt = await client.create_index_from_backup(fake.backups[0].backup_id, name="new")
    job = await client.describe_restore_job(receipt.restore_job_id)
    for restore in (receipt, job, job.restore_job_id):
        fake.play(Answer(body=job.to_dict() | {"status": status}))
        if status == "Cancelled":
            with pytest.raises(sdk.WaitFailedError):
                await client.wait_until_restored(restore)
        else:
            assert (await client.wait_until_restored(restore)).status == "Completed"


async def test_W7_transient_errors_never_end_a_wait(fake: FakePinecone, clock: Looks, client: BackupsClient) -> None:
    """A look is one request; a Retry-After is honoured."""
    down_longer = Answer.error(503, "UNAVAILABLE", "x", headers={"Retry-After": "77"})
    garbled, busy = Answer(body=b"<html>"), Answer.error(429, "ABORTED", "x")
    fake.play(*[DOWN] * 5, Answer(dropped=True), garbled, busy, MISSING, down_longer)
    assert (await client.wait_until_ready(fake.backups[0].backup_id)).status == "Ready"
    gaps = [later - earlier for earlier, later in itertools.pairwise(clock.times)]
    assert (len(gaps), min(gaps), max(gaps), gaps[-1]) == (10, 2.0, 77.0, 77.0)


@pytest.mark.parametrize(("answer", "kind"), [
    (Answer.error(401, "UNAUTHENTICATED", "x"), sdk.UnauthorizedError),
    (Answer.error(403, "FORBIDDEN", "x"), sdk.ForbiddenError),
    (Answer(body={"backup_id": 5}), sdk.ResponseParsingError),
])  # fmt: skip
async def test_W7_other_errors_end_a_wait_as_themselves(
    answer: Answer, kind: type[sdk.BackupsError], fake: FakePinecone, client: BackupsClient
) -> None:
    for wait in (client.wait_until_ready, client.wait_until_deleted):
        fake.play(answer)
        with pytest.raises(kind) as caught:
            await wait(fake.backups[0].backup_id)
        assert caught.value.attempts == 1


@pytest.mark.parametrize(("wait", "borne"), [("wait_until_ready", 60.0), ("wait_until_restored", 120.0)])
async def test_W7_a_404_is_borne_for_a_time(
    wait: str, borne: float, fake: FakePinecone, clock: Looks, client: BackupsClient
) -> None:
    fake.play(DOWN)
    with pytest.raises(sdk.NotFoundError):
        await getattr(client, wait)("never-there")
    assert borne <= clock.times[-1] - 2.0 < borne + 30
    assert clock.times[-2] - 2.0 < borne


async def test_W7_a_404_after_it_was_seen(fake: FakePinecone, clock: Looks, client: BackupsClient) -> None:
    """It ends the wait for a backup; that of a restore job is borne."""
    backup = fake.backups[0]
    fake.play(MISSING, with_status(backup, "Pending"), MISSING)
    with pytest.raises(sdk.NotFoundError):
        await client.wait_until_ready(backup)
    assert len(clock.times) == 3
    receipt = await client.create_index_from_backup(backup.backup_id, name="new")
    job = (await client.describe_restore_job(receipt.restore_job_id)).to_dict()
    pending = Answer(body=job | {"status": "Pending"})
    fake.play(MISSING, pending, *[MISSING] * 4, pending, *[MISSING] * 4)
    assert (await client.wait_until_restored(receipt)).status == "Completed"


async def test_W7_waiting_for_a_deletion(fake: FakePinecone, client: BackupsClient) -> None:
    backup = fake.backups[0]
    fake.lag = 2
    await client.delete_backup(backup.backup_id)
    await client.wait_until_deleted(backup)
    await client.wait_until_deleted("never-there")
    fake.play(*[with_status(backup, "Failed")] * 100)
    with pytest.raises(sdk.WaitTimeoutError) as caught:
        await client.wait_until_deleted(backup)
    assert (caught.value.last and caught.value.last.status) == "Failed"


async def test_W7_nothing_seen_leaves_no_last(fake: FakePinecone, client: BackupsClient) -> None:
    fake.play(*[DOWN] * 100)
    with pytest.raises(sdk.WaitTimeoutError, match="the wait for the backup timed out after 50 s$") as caught:
        await client.wait_until_ready("b", timeout=50)
    assert caught.value.last is None


@pytest.mark.parametrize("jump", [1e6, -1e6])
async def test_W7_clock_jumps_do_not_break_a_wait(
    jump: float, fake: FakePinecone, clock: Looks, client: BackupsClient
) -> None:
    clock.jump = jump
    fake.play(*[with_status(fake.backups[0], "Pending")] * 100)
    with pytest.raises(sdk.WaitTimeoutError):
        await client.wait_until_ready(fake.backups[0], timeout=600)
    assert 3 <= len(clock.times) <= 30


async def test_W7_a_faked_sleep_with_a_real_clock_does_not_spin(fake: FakePinecone) -> None:
    """What was asked of `sleep` counts as passed."""
    async with clients.client_of(fake, retry=RetryPolicy(sleep=Sleeps(), random=lambda: 0.5)) as client:
        fake.play(*[with_status(fake.backups[0], "Pending")] * 100)
        with pytest.raises(sdk.WaitTimeoutError):
            await client.wait_until_ready(fake.backups[0], timeout=600)
        assert 24 <= len(fake.requests) <= 27


async def test_W7_hanging_looks_end_with_the_wait() -> None:
    """The last look ends with the deadline; it is overrun by 0.1 s at most, here with slack for a busy machine."""
    async with FakePinecone(backups=1, delay=60) as fake, clients.client_of(fake, attempt_timeout=0.4) as client:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        with pytest.raises(sdk.WaitTimeoutError):
            await client.wait_until_ready("b", timeout=1.0)
        assert 0.5 < loop.time() - begin < 1.5


@pytest.mark.parametrize("end", ["close", "cancel"])
@pytest.mark.parametrize("wait", ["wait_until_ready", "wait_until_restored", "wait_until_deleted", "ensure_backup"])
async def test_W8_close_and_cancel_end_a_wait_at_once(wait: str, end: str, fake: FakePinecone) -> None:
    """Within 0.1 s, here with slack, and nothing is sent after it."""
    client, backup = clients.client_of(fake, retry=RetryPolicy()), fake.backups[0]
    if wait == "ensure_backup":
        fake.play(None, Answer.lost(503), Answer(body={"data": []}))
        task = asyncio.create_task(client.ensure_backup(backup.source_index_name, "new"))
    else:
        job = {"restore_job_id": "j", "target_index_name": "i", "target_index_id": "1"}
        fake.play(*[Answer(body=backup.to_dict() | job | {"status": "Pending"})] * 9)
        task = asyncio.create_task(getattr(client, wait)("b"))
    await asyncio.sleep(0.3)
    loop, sent = asyncio.get_running_loop(), len(fake.requests)
    begin = loop.time()
    if end == "cancel":
        task.cancel()
    else:
        await client.close()
    result: Any = (await asyncio.gather(task, return_exceptions=True))[0]
    assert loop.time() - begin < 0.5
    assert isinstance(result, asyncio.CancelledError if end == "cancel" else sdk.BackupsError)
    await client.close()
    assert len(fake.requests) == sent
