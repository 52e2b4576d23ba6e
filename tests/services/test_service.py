"""The example application under uvicorn, driven by a real HTTP client: what it answers, and that nothing leaks."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from typing import Any

import aiohttp
import httpx
import pytest

from pinecone_backups_async.testing import Answer, FakePinecone

from .conftest import EXAMPLE, load_example, open_descriptors, serving

DOWN = Answer.error(404, "NOT_FOUND", "Gone.")


async def get(url: str, **settings: Any) -> httpx.Response:
    async with httpx.AsyncClient(timeout=20) as http:
        return await http.get(url, **settings)


async def test_a_page_goes_out_as_it_is_with_its_token(service: str, fake: FakePinecone) -> None:
    first = (await get(f"{service}/backups?limit=100")).json()
    assert first["data"] == [backup.to_dict() for backup in fake.backups[:100]]
    second = (await get(f"{service}/backups", params={"token": first["pagination"]["next"]})).json()
    assert [row["backup_id"] for row in second["data"]] == [backup.backup_id for backup in fake.backups[100:200]]


async def test_the_stream_is_whole_and_says_so(service: str, fake: FakePinecone) -> None:
    response = await get(f"{service}/backups.ndjson")
    rows = [json.loads(line) for line in response.text.splitlines()]
    assert response.headers["content-type"] == "application/x-ndjson"
    assert rows[:-1] == [backup.to_dict() for backup in fake.backups]
    assert rows[-1] == {"end": True, "count": 250}


async def test_a_stream_of_nothing_is_whole_too(service: str, fake: FakePinecone) -> None:
    fake.play(Answer(body={"data": []}))
    assert json.loads((await get(f"{service}/backups.ndjson")).text) == {"end": True, "count": 0}


async def test_a_stream_that_fails_on_its_way_is_aborted(service: str, fake: FakePinecone) -> None:
    fake.play(None, DOWN)
    with pytest.raises(httpx.RemoteProtocolError):
        await get(f"{service}/backups.ndjson")


async def test_a_stream_that_fails_at_once_is_an_honest_answer(service: str, fake: FakePinecone) -> None:
    fake.play(DOWN)
    response = await get(f"{service}/backups.ndjson")
    assert (response.status_code, response.headers["content-type"]) == (502, "application/problem+json")


async def test_coverage_and_tenants(service: str, fake: FakePinecone) -> None:
    assert (await get(f"{service}/coverage")).json().keys() == {b.source_index_name for b in fake.backups}
    mine = await get(f"{service}/tenant/backups", headers={"api-key": fake.api_key})
    assert len(mine.json()["data"]) == 100
    for headers in ({"api-key": "another-key"}, {"api-key": "no key"}, {}):
        refused = await get(f"{service}/tenant/backups", headers=headers)
        assert (refused.status_code, refused.json()["status"]) == (401, 401)


async def test_200_handlers_at_once_share_one_client(service: str, fake: FakePinecone) -> None:
    async with httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=200)) as http:
        answers = await asyncio.gather(*(http.get(f"{service}/backups?limit=5") for _ in range(200)))
    assert {answer.status_code for answer in answers} == {200}
    assert {len(answer.json()["data"]) for answer in answers} == {5}
    assert len(fake.requests) == 200


async def test_L9_40_streaming_clients_that_hang_up_end_their_walks(service: str, fake: FakePinecone) -> None:
    await get(f"{service}/backups?limit=1")
    fake.delay = 0.1
    before = open_descriptors()
    async with aiohttp.ClientSession() as http:
        for _ in range(40):
            response = await http.get(f"{service}/backups.ndjson")
            await response.content.readline()
            response.close()
    await asyncio.sleep(0.3)
    seen = len(fake.requests)
    await asyncio.sleep(0.3)
    assert len(fake.requests) == seen
    # What remains are the connections that the application's one client keeps for reuse.
    assert open_descriptors() <= before + 2 * 40
    tasks = [task for task in asyncio.all_tasks() if "lines" in repr(task)]
    assert tasks == []


async def test_shutdown_during_a_walk_ends_it_and_closes_everything(fake: FakePinecone) -> None:
    fake.delay = 0.2
    async with aiohttp.ClientSession() as http:
        before = open_descriptors()
        async with serving(load_example().app) as (url, server):
            response = await http.get(f"{url}/backups.ndjson")
            await response.content.readline()
            fake.delay = 30  # so that the walk cannot end in the time that the server grants it
            server.should_exit = True
        with pytest.raises(aiohttp.ClientError):
            await response.read()
        response.close()
        await asyncio.sleep(0.3)
        assert open_descriptors() <= before


async def test_the_openapi_schema_names_what_goes_out(service: str) -> None:
    schema = (await get(f"{service}/openapi.json")).json()
    page = schema["paths"]["/backups"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    models = schema["components"]["schemas"]
    assert page == {"$ref": "#/components/schemas/BackupPage"}
    assert models["BackupPage"]["required"] == ["data", "pagination"]
    assert {"backup_id", "schema", "size_bytes", "source_index_deleted_at"} <= models["Backup"]["properties"].keys()
    assert "extra" not in models["Backup"]["properties"]
    assert {"type": "string", "format": "date-time"} in models["Backup"]["properties"]["created_at"]["anyOf"]
    assert models["MetadataSchema"]["required"] == ["fields"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def wait_until_served(url: str) -> None:
    async with httpx.AsyncClient() as http:
        for _ in range(400):
            try:
                await http.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
    pytest.fail("the service did not start")


@pytest.mark.parametrize("workers", [1, 2])
async def test_it_runs_with_one_command_and_with_two_workers(fake: FakePinecone, workers: int) -> None:
    port = free_port()
    command = [sys.executable, str(EXAMPLE)]
    environment = {**os.environ, "PORT": str(port)}
    if workers == 2:
        command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLE.parent), "service:app"]
        command += ["--workers", "2", "--port", str(port)]
    else:
        del environment["PINECONE_API_KEY"], environment["PINECONE_CONTROLLER_HOST"]
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=quiet, stderr=quiet)
    try:
        url = f"http://127.0.0.1:{port}/backups.ndjson"
        await wait_until_served(url)
        for _ in range(6):
            assert json.loads((await get(url)).text.splitlines()[-1]) == {"end": True, "count": 250}
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)
