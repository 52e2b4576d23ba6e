"""The example application: what it answers under uvicorn, in this process and in others, and that nothing leaks."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path

import httpx
import pytest

from pinecone_backups_async.testing import Answer, FakePinecone
from tests.support import services
from tests.support.clients import unused_port
from tests.support.services import http_client, until


@pytest.fixture
async def service(project: FakePinecone) -> AsyncGenerator[str]:
    async with services.serving(services.example_app()) as (url, _):
        yield url


async def test_a_page_with_its_token_and_a_new_backup(project: FakePinecone, service: str) -> None:
    """A backup that is started is a 202 with where to look; an unknown outcome invites no second request."""
    url, before = f"{service}/indexes/{project.backups[0].source_index_name}/backups", len(project.backups)
    async with http_client(base_url=service) as http:
        first = (await http.get("/backups?limit=100")).json()
        second = (await http.get("/backups", params={"token": first["pagination"]["next"]})).json()
        assert first["data"] + second["data"] == [backup.to_dict() for backup in project.backups[:200]]
        started = await http.post(url, params={"name": "release"})
        assert (started.status_code, started.json()["name"]) == (202, "release")
        assert (await http.get(started.headers["location"])).json()["status"] == "Ready"
        assert (await http.post("/indexes/none/backups")).status_code == 404
        project.play(Answer.lost(503))
        unknown = await http.post(url)
    assert (unknown.status_code, unknown.json()["outcome_unknown"]) == (500, True)
    assert len(project.backups) == before + 2


async def test_tenants_with_their_keys(project: FakePinecone, service: str) -> None:
    """They share connections, which the end of a client leaves open. A key that is refused is a 401."""
    async with http_client(base_url=f"{service}/tenant", headers={"api-key": project.api_key}) as http:
        for _ in range(2):
            answers = await asyncio.gather(*(http.get("/backups?limit=7") for _ in range(10)))
            assert {len(answer.json()["data"]) for answer in answers} == {7}
        assert (await http.get("/backups.ndjson")).text.endswith('{"end": true, "count": 250}\n')
        for path, key in product(["/backups", "/backups.ndjson"], ["another-key", "no key", ""]):
            refused = await http.get(path, headers={"api-key": key})
            assert (refused.status_code, refused.json()["status"]) == (401, 401)
    assert (await services.get(f"{service}/tenant/backups")).status_code == 401


@asynccontextmanager
async def running(*command: str, log: Path, processes: int = 1) -> AsyncGenerator[httpx.AsyncClient]:
    """Run a service until the block ends; yields a client of it. What it leaves open or lets fall fails the test."""
    port = unused_port()
    environ = {**os.environ, "PORT": str(port), "UVICORN_PORT": str(port)}
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(sys.executable, *command, env=environ, stdout=file, stderr=file)
    await until(lambda: log.read_text().count("Application startup complete") == processes)
    async with http_client(base_url=f"http://127.0.0.1:{port}") as http:
        yield http
    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.wait(), 20)
    told = await asyncio.to_thread(log.read_text)
    assert not re.search("Traceback|ResourceWarning|[Uu]nclosed|never awaited|ERROR", told), told


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
    page = (services.ROOT / "docs/fastapi.md").read_text()
    _, transcript = page.split("$ python docs/examples/service.py &\n")
    commands = CURL.findall(transcript)
    assert len(commands) == transcript.count("$ curl") >= 5
    # -X dev: what is left open is reported when it is collected.
    async with running("-X", "dev", str(services.EXAMPLE), log=(log := tmp_path / "log")) as http:
        assert "made up" in log.read_text()
        for name, value, path, then, output in commands:
            text = (await http.get(path, headers={name: value} if name else {})).text
            shown = text.splitlines()[-1] if then == "tail -n 1" else json.dumps(json.loads(text), indent=4)
            assert timeless(f"{shown}\n") == timeless(output), path


@pytest.mark.soak
async def test_two_workers_answer_in_full(project: FakePinecone, tmp_path: Path) -> None:
    command = ["-m", "uvicorn", "--app-dir", str(services.EXAMPLE.parent), "--workers", "2", "service:app"]
    async with running(*command, log=tmp_path / "log", processes=2) as http:
        answers = await asyncio.gather(*(http.get("/backups.ndjson") for _ in range(20)))
    assert {answer.text.splitlines()[250] for answer in answers} == {'{"end": true, "count": 250}'}
    assert len(project.requests) == 20 * 3
