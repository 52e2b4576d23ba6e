"""The example application: what it answers under uvicorn, in this process and in others, and that nothing leaks."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from itertools import product
from pathlib import Path

import aiohttp
import httpx
import pytest

from pinecone_backups_async.testing import Answer, FakePinecone
from tests.support.clients import unused_port
from tests.support.services import EXAMPLE, ROOT, get, open_descriptors, stall_later_pages, until


async def test_a_page_with_its_token_and_a_new_backup(service: str, fake: FakePinecone) -> None:
    """A backup that is started is a 202 with where to look; an unknown outcome invites no second request."""
    url, before = f"{service}/indexes/{fake.backups[0].source_index_name}/backups", len(fake.backups)
    async with httpx.AsyncClient(base_url=service) as http:
        first = (await http.get("/backups?limit=100")).json()
        second = (await http.get("/backups", params={"token": first["pagination"]["next"]})).json()
        assert first["data"] + second["data"] == [backup.to_dict() for backup in fake.backups[:200]]
        started = await http.post(url, params={"name": "release"})
        assert (started.status_code, started.json()["name"]) == (202, "release")
        assert (await http.get(started.headers["location"])).json()["status"] == "Ready"
        assert (await http.post("/indexes/none/backups")).status_code == 404
        fake.play(Answer.lost(503))
        unknown = await http.post(url)
    assert (unknown.status_code, unknown.json()["outcome_unknown"]) == (500, True)
    assert len(fake.backups) == before + 2


async def test_tenants_with_their_keys(service: str, fake: FakePinecone) -> None:
    """Many at once share connections, and one who disconnects leaves nothing. A key that is refused is a 401."""
    descriptors, fake.delay = open_descriptors(), 0.02
    async with httpx.AsyncClient(base_url=f"{service}/tenant", timeout=30, headers={"api-key": fake.api_key}) as http:
        for _ in range(2):
            answers = await asyncio.gather(*(http.get("/backups?limit=7") for _ in range(50)))
            assert {len(answer.json()["data"]) for answer in answers} == {7}
        # Two descriptors for each connection to this service, two for each from it to the project: 50 are the limit.
        assert open_descriptors() <= descriptors + 2 * 50 + 2 * 50
        assert (await http.get("/backups.ndjson")).text.endswith('{"end": true, "count": 250}\n')
        for path, key in product(["/backups", "/backups.ndjson"], ["another-key", "no key", ""]):
            refused = await http.get(path, headers={"api-key": key})
            assert (refused.status_code, refused.json()["status"]) == (401, 401)
    assert (await get(f"{service}/tenant/backups")).status_code == 401
    stall_later_pages(fake)
    descriptors, seen = open_descriptors(), len(fake.requests)
    async with aiohttp.ClientSession(headers={"api-key": fake.api_key}) as session:
        response = await session.get(f"{service}/tenant/backups.ndjson")
        await response.content.readline()
        await until(lambda: len(fake.requests) == seen + 2)
        response.close()
    await until(lambda: open_descriptors() <= descriptors)


PAGE = ROOT / "docs/fastapi.md"
# -X dev: what is left open is reported when it is collected.
PYTHON = (sys.executable, "-X", "dev")


@asynccontextmanager
async def running(command: list[str], port: int, log: Path, end: signal.Signals) -> AsyncGenerator[str]:
    """Run a service until the block ends; yields its URL. What it leaves open or lets fall fails the test."""
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as file:
        environ = {**os.environ, "PORT": str(port)}
        process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=file, stderr=file)
    try:
        await until_served(url, process)
        yield url
    finally:
        process.send_signal(end)
        await asyncio.wait_for(process.wait(), 20)
    check(log, port)


def check(log: Path, port: int) -> None:
    # uvicorn's parent process leaves the socket on which its workers listen to the collector.
    own = rf"ResourceWarning: unclosed .*laddr=\('127.0.0.1', {port}\)>\nResourceWarning: .*"
    told = re.sub(own, "", log.read_text())
    assert not re.search("Traceback|ResourceWarning|[Uu]nclosed|never awaited|ERROR", told), told


async def until_served(url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(20), httpx.AsyncClient() as http:
        while process.returncode is None:
            with suppress(httpx.TransportError):
                await http.get(f"{url}/openapi.json")
                return
            await asyncio.sleep(0.05)
    pytest.fail("the service did not start")


def timeless(text: str) -> str:
    """Return the text without what changes with the day, and with the version of Python."""
    text = text.replace("Unprocessable Content", "Unprocessable Entity")
    return re.sub(r"\d{4}-\d\d-\d\d(T[\d:.]+Z)?", "DATE", text)


CURL = re.compile(
    r"\$ curl -s (?:-H '(.+): (.+)' )?'?localhost:8000(\S+?)'? \| (tail -n 1|python -m json.tool)\n((?:[^$`].*\n)+)"
)


@pytest.mark.soak
async def test_the_demonstration_of_the_documentation(tmp_path: Path) -> None:
    """What the transcript's commands print, without needing curl."""
    _, transcript = PAGE.read_text().split("$ python docs/examples/service.py &\n")
    commands = CURL.findall(transcript)
    assert len(commands) == transcript.count("$ curl") >= 5
    command, log = [*PYTHON, str(EXAMPLE)], tmp_path / "log"
    async with running(command, unused_port(), log, signal.SIGINT) as url, httpx.AsyncClient(base_url=url) as http:
        assert "made up" in log.read_text()
        for name, value, path, then, output in commands:
            text = (await http.get(path, headers={name: value} if name else {})).text
            shown = text.splitlines()[-1] if then == "tail -n 1" else json.dumps(json.loads(text), indent=4)
            assert timeless(f"{shown}\n") == timeless(output), path


async def test_under_uvicorn_a_missing_key_stops_it() -> None:
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLE.parent), "--port", "0", "service:app"]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, told = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode != 0
    assert b"PINECONE_API_KEY" in told


@pytest.mark.soak
async def test_two_workers_answer_in_full(fake: FakePinecone, tmp_path: Path) -> None:
    port, log = unused_port(), tmp_path / "log"
    command = [*PYTHON, "-m", "uvicorn", "--app-dir", str(EXAMPLE.parent), "service:app"]
    command += ["--workers", "2", "--port", str(port)]
    async with running(command, port, log, signal.SIGTERM) as url, httpx.AsyncClient(timeout=20) as http:
        answers = await asyncio.gather(*(http.get(f"{url}/backups.ndjson") for _ in range(20)))
        assert len(re.findall(r"Started server process", log.read_text())) == 2
    for answer in answers:
        *rows, last = answer.text.splitlines()
        assert json.loads(last) == {"end": True, "count": len(rows)} == {"end": True, "count": 250}
    assert len(fake.requests) == 20 * 3
