"""W7, W8: waits look, what ends them, and that they end in time. Sleep and clock are the test's own mostly."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator

import attrs
import pytest

import pinecone_backups_async as sdk
from pinecone_backups_async import Backup, BackupsClient, RetryPolicy
from pinecone_backups_async.testing import Answer, FakePinecone, RecordedRequest
from tests.support.clients import client_of
from tests.support.timing import Clock, Sleeps

DOWN = Answer.error(503, "UNAVAILABLE", "Down.")
MISSING = Answer.error(404, "NOT_FOUND", "Not found.")


def with_status(described: sdk.Backup | sdk.RestoreJob, status: str) -> Answer:
    return Answer(body=described.to_dict() | {"status": status})


@attrs.define
class Project:
    """A project with one backup, its client with a clock that moves only while it sleeps, and when it looked."""

    fake: FakePinecone
    clock: Clock = attrs.field(factory=Clock)
    looks: list[float] = attrs.field(factory=list[float])
    random: float = 0.5
    jump: float = 0.0  # of the clock, at the third look
    client: BackupsClient = attrs.field(init=False)

    @property
    def backup(self) -> Backup:
        return self.fake.backups[0]

    @property
    def gaps(self) -> list[float]:
        return [later - earlier for earlier, later in itertools.pairwise(self.looks)]

    def look(self, _: object) -> None:
        self.looks.append(self.clock.now)
        self.clock.now += self.jump if len(self.looks) == 3 else 0


@pytest.fixture
async def project() -> AsyncGenerator[Project]:
    async with FakePinecone(backups=1) as fake:
        own = Project(fake)
        fake.before_answer = own.look
        policy = RetryPolicy(sleep=own.clock.sleep, clock=own.clock, random=lambda: own.random)
        async with client_of(fake, retry=policy) as own.client:
            yield own


async def test_W7_looks_are_spaced_and_counted(project: Project) -> None:
    """26 looks in 600 s, the last 2 s before the end."""
    project.fake.play(*[with_status(project.backup, "Initializing")] * 100)
    with pytest.raises(sdk.WaitTimeoutError, match="its last status was Initializing") as caught:
        await project.client.wait_until_ready(project.backup, timeout=600)
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.last and caught.value.last.status) == "Initializing"
    assert (len(project.looks), project.looks[0], project.looks[-1]) == (26, 0.0, 598.0)
    assert (project.gaps[:3], max(project.gaps)) == ([2.0, 3.0, 4.5], 30.0)


@pytest.mark.parametrize(("random", "factor"), [(0.0, 0.75), (1.0, 1.25)])
async def test_W7_jitter_is_a_quarter(random: float, factor: float, project: Project) -> None:
    project.random = random
    project.fake.play(*[with_status(project.backup, "Pending")] * 3)
    await project.client.wait_until_ready(project.backup.backup_id)
    assert project.looks == [0.0, 2 * factor, 5 * factor, 9.5 * factor]


# Which status means what: tests/unit/test_models.py.
@pytest.mark.parametrize(("status", "looks"), [("Ready", 1), ("Pending", 2), ("Failed", 1)])
async def test_W7_each_outcome_of_a_backup(status: str, looks: int, project: Project) -> None:
    project.fake.play(with_status(project.backup, status))
    if status == "Failed":
        with pytest.raises(sdk.WaitFailedError) as caught:
            await project.client.wait_until_ready(project.backup.backup_id)
        assert (caught.value.last and caught.value.last.status) == status
    else:
        assert (await project.client.wait_until_ready(project.backup.backup_id)).status == "Ready"
    assert len(project.looks) == looks


@pytest.mark.parametrize("status", ["Completed", "Running", "Cancelled"])
async def test_W7_each_outcome_of_a_restore_job(status: str, project: Project) -> None:
    client = project.client
    receipt = await client.create_index_from_backup(project.backup.backup_id, name="new")
    job = await client.describe_restore_job(receipt.restore_job_id)
    for restore in (receipt, job, job.restore_job_id):
        project.fake.play(with_status(job, status))
        if status == "Cancelled":
            with pytest.raises(sdk.WaitFailedError):
                await client.wait_until_restored(restore)
        else:
            assert (await client.wait_until_restored(restore)).status == "Completed"


async def test_W7_transient_errors_never_end_a_wait(project: Project) -> None:
    """A look is one request; a Retry-After is honoured."""
    down_longer = Answer.error(503, "UNAVAILABLE", "x", headers={"Retry-After": "77"})
    garbled, busy = Answer(body=b"<html>"), Answer.error(429, "ABORTED", "x")
    project.fake.play(*[DOWN] * 5, Answer(dropped=True), garbled, busy, MISSING, down_longer)
    assert (await project.client.wait_until_ready(project.backup.backup_id)).status == "Ready"
    assert (len(project.gaps), min(project.gaps), max(project.gaps), project.gaps[-1]) == (10, 2.0, 77.0, 77.0)


async def test_W7_other_errors_end_a_wait_as_themselves(project: Project) -> None:
    for wait in (project.client.wait_until_ready, project.client.wait_until_deleted):
        project.fake.play(Answer.error(401, "UNAUTHENTICATED", "x"), Answer(body={"backup_id": 5}))
        for kind in (sdk.UnauthorizedError, sdk.ResponseParsingError):
            with pytest.raises(kind) as caught:
                await wait(project.backup.backup_id)
            assert caught.value.attempts == 1


@pytest.mark.parametrize(("wait", "borne"), [("wait_until_ready", 60.0), ("wait_until_restored", 120.0)])
async def test_W7_a_404_is_borne_for_a_time(wait: str, borne: float, project: Project) -> None:
    project.fake.play(DOWN)
    with pytest.raises(sdk.NotFoundError):
        await getattr(project.client, wait)("never-there")
    assert borne <= project.looks[-1] - 2.0 < borne + 30
    assert project.looks[-2] - 2.0 < borne


async def test_W7_a_404_after_it_was_seen(project: Project) -> None:
    """It ends the wait for a backup; that of a restore job is borne."""
    client, fake = project.client, project.fake
    fake.play(MISSING, with_status(project.backup, "Pending"), MISSING)
    with pytest.raises(sdk.NotFoundError):
        await client.wait_until_ready(project.backup)
    assert len(project.looks) == 3
    receipt = await client.create_index_from_backup(project.backup.backup_id, name="new")
    pending = with_status(await client.describe_restore_job(receipt.restore_job_id), "Pending")
    fake.play(MISSING, pending, *[MISSING] * 4, pending, *[MISSING] * 4)
    assert (await client.wait_until_restored(receipt)).status == "Completed"


async def test_W7_waiting_for_a_deletion(project: Project) -> None:
    client, backup = project.client, project.backup
    project.fake.lag = 2
    await client.delete_backup(backup.backup_id)
    await client.wait_until_deleted(backup)
    await client.wait_until_deleted("never-there")
    project.fake.play(*[with_status(backup, "Failed")] * 100)
    with pytest.raises(sdk.WaitTimeoutError) as caught:
        await client.wait_until_deleted(backup)
    assert (caught.value.last and caught.value.last.status) == "Failed"


async def test_W7_nothing_seen_leaves_no_last(project: Project) -> None:
    project.fake.play(*[DOWN] * 100)
    with pytest.raises(sdk.WaitTimeoutError, match="the wait for the backup timed out after 50 s$") as caught:
        await project.client.wait_until_ready("b", timeout=50)
    assert caught.value.last is None


@pytest.mark.parametrize("jump", [1e6, -1e6])
async def test_W7_clock_jumps_do_not_break_a_wait(jump: float, project: Project) -> None:
    project.jump = jump
    project.fake.play(*[with_status(project.backup, "Pending")] * 100)
    with pytest.raises(sdk.WaitTimeoutError):
        await project.client.wait_until_ready(project.backup, timeout=600)
    assert 3 <= len(project.looks) <= 30


async def test_W7_a_faked_sleep_with_a_real_clock_does_not_spin(project: Project) -> None:
    """What was asked of `sleep` counts as passed."""
    async with client_of(project.fake, retry=RetryPolicy(sleep=Sleeps(), random=lambda: 0.5)) as client:
        project.fake.play(*[with_status(project.backup, "Pending")] * 100)
        with pytest.raises(sdk.WaitTimeoutError):
            await client.wait_until_ready(project.backup, timeout=600)
    assert 24 <= len(project.looks) <= 27


async def test_W7_hanging_looks_end_with_the_wait(project: Project) -> None:
    """The last look ends with the deadline; it is overrun by 0.1 s at most, here with slack for a busy machine."""
    project.fake.delay = 60
    loop = asyncio.get_running_loop()
    async with client_of(project.fake, attempt_timeout=0.2) as client:
        begin = loop.time()
        with pytest.raises(sdk.WaitTimeoutError):
            await client.wait_until_ready("b", timeout=0.5)
        assert 0.25 < loop.time() - begin < 1.0


@pytest.mark.parametrize("end", ["close", "cancel"])
async def test_W8_close_and_cancel_end_every_wait_at_once(end: str, project: Project) -> None:
    """Within 0.1 s, here with slack, and nothing is sent after it."""
    loop, fake, client = asyncio.get_running_loop(), project.fake, client_of(project.fake, retry=RetryPolicy())
    job = {"restore_job_id": "j", "target_index_name": "i", "target_index_id": "1"}
    pending = Answer(body=project.backup.to_dict() | job | {"status": "Pending"})

    def choose(request: RecordedRequest) -> None:
        if request.path.endswith(("/b", "/j")):
            fake.play(pending)
        elif request.method == "POST":
            fake.play(Answer.lost(503))

    fake.before_answer = choose
    waits = [
        *(client.wait_until_ready("b"), client.wait_until_deleted("b"), client.wait_until_restored("j")),
        client.ensure_backup(project.backup.source_index_name, "new"),
    ]
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.sleep(0.3)
    begin = loop.time()
    if end == "close":
        await client.close()
    else:
        for task in tasks:
            task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert loop.time() - begin < 0.5
    kind = sdk.BackupsError if end == "close" else asyncio.CancelledError
    assert [type(result) for result in results if not isinstance(result, kind)] == []
    await client.close()
    assert len(fake.requests) == 3 + 2
