"""Y: retries in quantity. Thousands of pages need no sockets: the retrier gets attempts that fail as they are told."""

from __future__ import annotations

import asyncio
import random

import pytest

from pinecone_backups_async import ApiError, ErrorCode, RetryPolicy, ServiceError, TransportTimeoutError
from pinecone_backups_async.testing import Answer, FakePinecone, RecordedRequest
from tests.test_client import client_of
from tests.test_retry import Clock, attempts_of, retrier, run, unavailable

PAGES = 10_000


@pytest.mark.parametrize("after_an_outage", [False, True])
async def test_Y8_faults_that_end_well_never_use_up_the_quota(after_an_outage: bool) -> None:
    clock, dice = Clock(), random.Random(8)
    patient = retrier(clock)
    if after_an_outage:
        patient.quota.tokens = 0
        for _ in range(500):
            assert await run(patient, attempts_of("page")) == "page"
    for _ in range(PAGES):
        faults = [unavailable() if dice.random() < 0.5 else TransportTimeoutError("x") for _ in range(3)]
        failing = [fault for fault in faults if dice.random() < 0.3]
        assert await run(patient, attempts_of(*failing, "page")) == "page"
    assert patient.quota.tokens == 500


async def test_Y7_an_outage_blocks_no_first_attempt_and_pages_pay_for_their_recovery() -> None:
    clock, dice = Clock(), random.Random(7)
    patient, requests = retrier(clock), 0
    for _ in range(500):
        seen: list[tuple[float, bool]] = []
        with pytest.raises(ServiceError):
            await run(patient, attempts_of(*[unavailable() for _ in range(4)], seen=seen))
        assert len(seen) >= 1
        requests += len(seen)
    assert requests == 600
    failed: list[int] = []
    for number in range(2000):
        try:
            await run(patient, attempts_of(*[unavailable()] * (dice.random() < 0.05), "page"))
        except ServiceError:
            failed.append(number)
    assert all(number < 5 for number in failed)  # five pages pay for the first retry
    assert patient.quota.tokens == 500


async def test_Y9_300_walks_on_one_client_with_1000_faults_and_each_error_is_its_own_walks() -> None:
    """Each walk starts at a token of its own, and the service tells in each error which one it was asked with."""
    faults = 0
    async with FakePinecone() as fake, client_of(fake, retry=RetryPolicy(random=lambda: 0.0, quota=10**6)) as client:

        def refuse(request: RecordedRequest) -> None:
            nonlocal faults
            faults += 1
            token = request.query["paginationToken"]
            fake.play(Answer.error(503, ErrorCode.UNAVAILABLE, f"down for {token}", delay=0.001))

        fake.before_answer = refuse
        gate = asyncio.Semaphore(50)

        async def walk(number: int) -> ApiError:
            async with gate:
                with pytest.raises(ApiError) as caught:
                    await client.list_backups(pagination_token=f"walk-{number}").to_list()
                return caught.value

        errors = await asyncio.gather(*(walk(number) for number in range(300)))
    assert [found.message for found in errors] == [f"down for walk-{number}" for number in range(300)]
    assert [found.pagination_token for found in errors] == [f"walk-{number}" for number in range(300)]
    assert {found.attempts for found in errors} == {4}
    assert faults == 1200
