"""prune(): what is deleted, in which order, and what stops it, against a service that changes meanwhile."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import AsyncGenerator, Callable
from typing import Any

import attrs
import pytest

import pinecone_backups_async as pba
from pinecone_backups_async.coverage import newest_ready
from pinecone_backups_async.retention import PruneReport, RetentionPolicy, decide, prune
from pinecone_backups_async.testing import Answer, FakePinecone, RecordedRequest

from ..support.backups import backup, hours
from ..support.clients import client_of
from ..support.timing import Sleeps, at_most

LAST = RetentionPolicy(last=1)
ROWS = [backup(age, index=index, index_id=index, backup_id=f"{index}{age}") for index in "ab" for age in (1, 2, 3)]
A1, A3 = ROWS[0], ROWS[2]


@pytest.fixture
async def fake() -> AsyncGenerator[FakePinecone]:
    async with FakePinecone(ROWS) as fake:
        yield fake


async def pruned(fake: FakePinecone, **options: Any) -> PruneReport:
    async with client_of(fake) as client:
        arguments: dict[str, Any] = {"max_deletes": 4, "dry_run": False, **options}
        return await prune(client, LAST, **arguments)


def names(backups: Any) -> list[str]:
    return [each.backup_id for each in backups]


def deletions(fake: FakePinecone) -> list[str]:
    return [request.path.removeprefix("/backups/") for request in fake.requests if request.method == "DELETE"]


def when(method: str, path: str, act: Callable[[], object]) -> Callable[[RecordedRequest], object]:
    """Return a hook that acts before the fake answers such a request."""
    return lambda request: act() if (request.method, request.path) == (method, f"/backups/{path}") else None


async def test_a_dry_run_deletes_nothing_and_has_no_limit(fake: FakePinecone) -> None:
    report = await pruned(fake, max_deletes=0, dry_run=True)
    assert (names(report.deleted), names(report.kept)) == (["a3", "b3", "a2", "b2"], ["b1", "a1"])
    assert (report.dry_run, list(report.decisions)) == (True, decide(ROWS, LAST))
    assert {request.method for request in fake.requests} == {"GET"}


async def test_the_oldest_goes_first_after_a_look(fake: FakePinecone) -> None:
    """W9: what vanished meanwhile counts as deleted."""
    fake.before_answer = when("DELETE", "b3", lambda: fake.delete("b3"))
    report = await pruned(fake)
    sent = [f"{request.method} {request.path[9:]}" for request in fake.requests if request.path != "/backups"]
    assert sent == ["GET a1", "DELETE a3", "DELETE a2", "GET b1", "DELETE b3", "DELETE b2"]
    assert (names(report.deleted), names(report.kept)) == (["a3", "a2", "b3", "b2"], ["b1", "a1"])
    assert (report.failed, report.error, report.dry_run) == ((), None, False)
    assert names((await pruned(fake)).deleted) == []
    fake.add(*ROWS)
    fake.before_answer = None
    assert names((await pruned(fake, indexes=["b", "c"])).deleted) == ["b3", "b2"]


@pytest.mark.parametrize("status", ["Failed", None])
async def test_W9_an_index_whose_newest_is_no_longer_ready(fake: FakePinecone, status: str | None) -> None:
    change = (lambda: fake.add(attrs.evolve(A1, status=status))) if status else (lambda: fake.delete("a1"))
    fake.before_answer = when("GET", "a1", change)
    report = await pruned(fake)
    assert (names(report.deleted), names(row for row, _ in report.failed)) == (["b3", "b2"], ["a3", "a2"])
    assert (deletions(fake), report.error) == (["b3", "b2"], None)
    assert {(status or "not found") in str(error) for _, error in report.failed} == {True}


@pytest.mark.parametrize("options", [
    {}, {"max_deletes": 3}, {"max_deletes": -1}, {"indexes": []}, {"indexes": "a"}, {"gone": None}, {"dry_run": 0},
])  # fmt: skip
async def test_refused_before_anything_is_deleted(fake: FakePinecone, options: dict[str, Any]) -> None:
    """More than `max_deletes`, wrong use, or (without options) a listing that cannot be proven complete."""
    if not options:
        fake.play(*[Answer(body={"data": [row.to_dict()]}) for row in (A1, A3)] * 3)
    with pytest.raises(pba.ConfigurationError if options else pba.IncompleteListingError):
        await pruned(fake, **options)
    assert deletions(fake) == []


@pytest.mark.parametrize("status", [400, 409, 412, 418, 422])
async def test_a_refused_deletion_does_not_stop_the_run(fake: FakePinecone, status: int) -> None:
    fake.play(None, None, None, Answer.error(status, "FAILED_PRECONDITION", "in use"))
    report = await pruned(fake)
    assert (names(report.deleted), report.error) == (["a2", "b3", "b2"], None)
    ((row, error),) = report.failed
    assert (row.backup_id, getattr(error, "status", None), error.__traceback__) == ("a3", status, None)
    assert names(report.kept) == ["b1", "a1"]


@pytest.mark.parametrize("place", ["describe", "delete"])
@pytest.mark.parametrize("status", [302, 401, 402, 403, 429, 500, 501, 503, None])
async def test_what_stops_the_run(fake: FakePinecone, status: int | None, place: str) -> None:
    """The key or the account is refused, or the service stays away."""
    answer = Answer.error(status, "FORBIDDEN", "no") if status else Answer(dropped=True)
    fake.play(None, None, *([None] if place == "delete" else []), *[answer] * 4)
    report = await pruned(fake)
    assert report.error is not None
    assert (report.deleted, report.error.__traceback__) == ((), None)
    assert list(report.failed) == ([(A3, report.error)] if place == "delete" else [])
    assert len(report.kept) + len(report.failed) == 6
    assert {request.path for request in fake.requests} <= {"/backups", "/backups/a1", "/backups/a3"}


@pytest.mark.parametrize("end", ["close", "cancel"])
async def test_closing_and_cancelling_end_it_at_once(fake: FakePinecone, end: str) -> None:
    reached = asyncio.Event()
    fake.before_answer = when("DELETE", "a2", reached.set)
    fake.play(*[None] * 4, Answer(delay=60))
    async with client_of(fake) as client:
        task = asyncio.create_task(prune(client, LAST, max_deletes=4, dry_run=False))
        await reached.wait()
        with at_most(0.1):
            if end == "cancel":
                task.cancel()
                await asyncio.wait([task])
                assert task.cancelled()
            else:
                await client.close()
                assert isinstance((await task).error, pba.ClientClosedError)
                assert names((await task).deleted) == ["a3"]
        assert deletions(fake) == ["a3", "a2"]


FAULTS = [
    *(Answer.lost(), Answer.lost(503), Answer.lost(cut=True), Answer(dropped=True), Answer(body="<html>")),
    *(Answer.error(status, "UNAVAILABLE", "Try again later.") for status in (429, 500, 503)),
]


async def back_up(fake: FakePinecone) -> None:
    """Do what the documentation's nightly job does: create a backup, wait for it, prune."""
    policy = RetentionPolicy(daily=7, weekly=4, monthly=6, names=["nightly-*"])
    async with client_of(fake, retry=pba.RetryPolicy(sleep=Sleeps())) as client:
        await client.wait_until_ready(await client.ensure_backup("products", f"nightly-{fake.now:%F}"))
        report = await prune(client, policy, max_deletes=5, dry_run=False)
    if report.error is not None:
        raise report.error


@pytest.mark.soak
async def test_a_year_of_daily_backups_within_a_quota() -> None:
    """Under a quota of 25, 10 % faults and 5 % failures there is a fresh Ready backup every day, and never a 403."""
    chance, begin = random.Random(7), dt.datetime(2024, 1, 1, 3, tzinfo=dt.UTC)
    errors: list[pba.BackupsError] = []
    async with FakePinecone(indexes=["products"], now=begin) as fake:
        fake.max_backups = 25
        for day in range(366):
            fake.now = begin + hours(24 * day)
            for _ in range(3):
                fake.backup_outcome = "Failed" if chance.random() < 0.05 else "Ready"
                fake.play(*(chance.choice(FAULTS) if chance.random() < 0.1 else None for _ in range(9)))
                try:
                    await back_up(fake)
                except pba.BackupsError as error:
                    errors.append(error)
                else:
                    break
            (newest,) = newest_ready(fake.backups, now=fake.now).values()
            assert newest.created_at is not None
            assert fake.now - newest.created_at <= hours(26)
        assert 14 <= len(fake.backups) <= 17
        assert pba.ForbiddenError not in map(type, errors)
        assert errors
