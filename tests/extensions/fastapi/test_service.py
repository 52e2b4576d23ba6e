"""The example application under uvicorn, driven by a real HTTP client: what it answers, and that nothing leaks."""

from __future__ import annotations

import asyncio
import json
import logging

import aiohttp
import httpx
import pytest

from pinecone_backups_async import ServiceError
from pinecone_backups_async.testing import Answer, FakePinecone
from tests.support.clients import client_of
from tests.support.services import get, open_descriptors, stall_later_pages, until


async def test_a_page_goes_out_with_its_token(service: str, fake: FakePinecone) -> None:
    first = (await get(f"{service}/backups?limit=100")).json()
    second = (await get(f"{service}/backups", params={"token": first["pagination"]["next"]})).json()
    assert first["data"] + second["data"] == [backup.to_dict() for backup in fake.backups[:200]]


async def test_a_tenants_key(service: str, fake: FakePinecone) -> None:
    headers = {"api-key": fake.api_key}
    assert len((await get(f"{service}/tenant/backups?limit=7", headers=headers)).json()["data"]) == 7
    lines = (await get(f"{service}/tenant/backups.ndjson", headers=headers)).text.splitlines()
    assert json.loads(lines[-1]) == {"end": True, "count": 250}
    refused: list[dict[str, str]] = [{"api-key": "another-key"}, {"api-key": "no key"}, {"api-key": ""}, {}]
    for headers in refused:
        for path in ("/tenant/backups", "/tenant/backups.ndjson"):
            response = await get(service + path, headers=headers)
            assert (response.status_code, response.json()["status"]) == (401, 401)


async def test_50_tenants_share_connections(service: str, fake: FakePinecone) -> None:
    fake.delay = 0.02
    async with httpx.AsyncClient(timeout=30, headers={"api-key": fake.api_key}) as http:
        before = open_descriptors()
        for _ in range(2):
            answers = await asyncio.gather(*(http.get(f"{service}/tenant/backups?limit=1") for _ in range(50)))
            assert {answer.status_code for answer in answers} == {200}
        # Two descriptors for each connection to this service, two for each from it to the project: 50 are the limit.
        assert open_descriptors() <= before + 2 * 50 + 2 * 50


@pytest.mark.soak
async def test_200_handlers_share_one_client(service: str, fake: FakePinecone) -> None:
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(timeout=30, limits=limits) as http:
        answers = await asyncio.gather(*(http.get(f"{service}/backups?limit=5") for _ in range(200)))
    assert [(answer.status_code, len(answer.json()["data"])) for answer in answers] == [(200, 5)] * 200
    assert len(fake.requests) == 200


async def test_a_tenant_who_disconnects_leaves_nothing(service: str, fake: FakePinecone) -> None:
    stall_later_pages(fake)
    descriptors = open_descriptors()
    async with aiohttp.ClientSession(headers={"api-key": fake.api_key}) as http:
        response = await http.get(f"{service}/tenant/backups.ndjson")
        await response.content.readline()
        await until(lambda: len(fake.requests) == 2)
        response.close()
    await until(lambda: open_descriptors() <= descriptors)


async def test_a_backup_is_started(service: str, fake: FakePinecone) -> None:
    """The answer is 202 with where to look; an unknown outcome invites no second request."""
    url, before = f"{service}/indexes/{fake.backups[0].source_index_name}/backups", len(fake.backups)
    async with httpx.AsyncClient() as http:
        started = await http.post(url, params={"name": "release"})
        assert (started.status_code, started.json()["name"]) == (202, "release")
        assert (await http.get(started.headers["location"])).json()["status"] == "Ready"
        assert (await http.post(f"{service}/indexes/none/backups")).status_code == 404
        fake.play(Answer.lost(503))
        unknown = await http.post(url)
    assert (unknown.status_code, unknown.json()["outcome_unknown"]) == (500, True)
    assert len(fake.backups) == before + 2


async def test_only_retries_are_warnings(fake: FakePinecone, caplog: pytest.LogCaptureFixture) -> None:
    """Raised errors are not logged; attempts and ends of listings are DEBUG; no record shows the key or a token."""
    caplog.set_level(logging.DEBUG, "pinecone_backups_async")
    down = Answer.error(503, "UNAVAILABLE", f"Down, and it quotes {fake.api_key}.")
    fake.play(None, down, *[None] * 2, *[down] * 4)
    async with client_of(fake) as client:
        tokens = [page.next_token or "" async for page in client.list_backups().pages()]
        with pytest.raises(ServiceError):
            await client.fetch_page()
    records = [record for record in caplog.records if record.name == "pinecone_backups_async"]
    warnings = [vars(record)["pinecone_attempt"] for record in records if record.levelno > logging.DEBUG]
    assert (warnings, len(records)) == ([1, 1, 2, 3], 4 + 8 + 1)
    assert not [text for text in (fake.api_key, *tokens) if text and text in caplog.text]
