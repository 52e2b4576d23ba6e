"""Answer.lost: the request takes effect once, and its own response never arrives whole."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from pinecone_backups_async.testing import Answer, FakePinecone
from tests.support.raw_request import ask, get

CREATE = "POST /indexes/products/backups"


@pytest.mark.parametrize("status", [503, 302, 206])
async def test_a_status_in_place_of_the_response(fake: FakePinecone, status: int) -> None:
    fake.play(Answer.lost(status, body="<html>", headers={"Content-Type": "text/html"}))
    reply = await ask(fake, CREATE, json={})
    assert (reply.status, reply.text, reply.headers["Content-Type"]) == (status, "<html>", "text/html")
    assert len(fake.backups) == 5
    assert (await ask(fake, CREATE, json={})).status == 201


DROPPED, CUT = aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError


@pytest.mark.parametrize(("answer", "error"), [
    (Answer.lost(), DROPPED), (Answer.lost(cut=True), CUT), (Answer.lost(delay=60), TimeoutError),
    (Answer.lost(201, body='{"backup_id": "'), json.JSONDecodeError),
    # Without `lost` there is no effect either.
    (Answer(body={"data": []}, cut=True), CUT), (Answer(body={"data": []}, dropped=True), DROPPED),
])  # fmt: skip
async def test_no_response_or_half_of_one(fake: FakePinecone, answer: Answer, error: type[Exception]) -> None:
    fake.play(answer)
    with pytest.raises(error):
        async with asyncio.timeout(0.3):
            (await ask(fake, CREATE, json={})).json  # noqa: B018 - garbled is found out when it is read
    assert (len(fake.requests), len(fake.backups)) == (1, 5 if answer.takes_effect else 4)
    assert len((await get(fake)).ids) == len(fake.backups)


async def test_without_a_body_nothing_is_sent(fake: FakePinecone) -> None:
    fake.play(Answer.lost(cut=True))
    # aiohttp itself repeats an idempotent request whose connection is dropped.
    assert (await ask(fake, "DELETE /backups/a")).status == 404
    assert (len(fake.backups), len(fake.requests)) == (3, 2)


async def test_what_is_refused_has_no_effect_to_lose(fake: FakePinecone) -> None:
    fake.play(Answer.lost(503))
    assert (await ask(fake, "DELETE /backups/x")).status == 503
    assert len(fake.backups) == 4
