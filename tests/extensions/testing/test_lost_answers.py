"""Answer.lost: the request takes effect once, and its own response never arrives whole."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from pinecone_backups_async.testing import Answer, FakePinecone
from tests.support.raw_request import ask, backup, get

CREATE = "POST /indexes/products/backups"
DISCONNECTED: type[Exception] = aiohttp.ServerDisconnectedError


@pytest.mark.parametrize("status", [408, 500, 501, 502, 503, 504, 520, 524, 302, 206])
async def test_a_status_in_place_of_the_response(status: int) -> None:
    async with FakePinecone(indexes=["products"]) as fake:
        fake.play(Answer.lost(status, body="<html>", headers={"Content-Type": "text/html"}))
        reply = await ask(fake, CREATE, json={})
        assert (reply.status, reply.text, reply.headers["Content-Type"]) == (status, "<html>", "text/html")
        assert len(fake.backups) == 1
        assert (await ask(fake, CREATE, json={})).status == 201


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer.lost(), DISCONNECTED),
        (Answer.lost(cut=True), aiohttp.ClientPayloadError),
        (Answer.lost(delay=60), TimeoutError),
        (Answer.lost(201, body='{"backup_id": "'), json.JSONDecodeError),
    ],
)
async def test_no_response_half_of_one_or_one_too_late(answer: Answer, error: type[Exception]) -> None:
    async with FakePinecone(indexes=["products"]) as fake:
        fake.play(answer)
        with pytest.raises(error):
            async with asyncio.timeout(0.3):
                (await ask(fake, CREATE, json={})).json  # noqa: B018 - garbled is found out when it is read
        assert len(fake.backups) == len(fake.requests) == 1


async def test_deletions_and_restores_take_effect_too() -> None:
    async with FakePinecone([backup("a"), backup("b")]) as fake:
        fake.play(Answer.lost(503), Answer.lost(503))
        assert (await ask(fake, "DELETE /backups/b")).status == 503
        assert (await ask(fake, "POST /backups/a/create-index", json={"name": "copy"})).status == 503
        assert (await ask(fake, "DELETE /backups/b")).status == 404
        assert (await ask(fake, "POST /backups/a/create-index", json={"name": "copy"})).status == 409
        assert [row.backup_id for row in fake.backups] == ["a"]
        assert [job.target_index_name for job in fake.restore_jobs] == ["copy"]


async def test_of_a_response_without_a_body_nothing_is_sent() -> None:
    async with FakePinecone([backup("a")]) as fake:
        fake.play(Answer.lost(cut=True))
        # aiohttp itself repeats an idempotent request whose connection is dropped.
        assert (await ask(fake, "DELETE /backups/a")).status == 404
        assert (fake.backups, len(fake.requests)) == ((), 2)


async def test_what_is_refused_has_no_effect_to_lose() -> None:
    async with FakePinecone([backup("a")]) as fake:
        fake.play(Answer.lost(503))
        assert (await ask(fake, "DELETE /backups/b")).status == 503
        assert len(fake.backups) == 1


@pytest.mark.parametrize("cut", [False, True])
async def test_a_scripted_answer_without_effect_may_be_dropped_or_cut_as_well(cut: bool) -> None:
    async with FakePinecone(indexes=["products"]) as fake:
        fake.play(Answer(body={"data": []}, cut=cut, dropped=not cut))
        with pytest.raises(aiohttp.ClientPayloadError if cut else DISCONNECTED):
            await ask(fake, CREATE, json={})
        assert (fake.backups, (await get(fake)).ids) == ((), [])
