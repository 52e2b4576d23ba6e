"""The example application in processes of its own: one command, its transcript in the documentation, two workers."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from pinecone_backups_async.testing import FakePinecone
from tests.support.services import EXAMPLE, ROOT

# -X dev: what is left open is reported when it is collected.
PYTHON = (sys.executable, "-X", "dev")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@asynccontextmanager
async def running(command: list[str], port: int, log: Path, end: signal.Signals) -> AsyncGenerator[str]:
    """Run a service until the block ends; yields its URL. What it leaves open or lets fall fails the test."""
    with log.open("wb") as file:
        environ = {**os.environ, "PORT": str(port)}
        process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=file, stderr=file)
    url = f"http://127.0.0.1:{port}"
    try:
        await wait_until_served(url, process)
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


async def wait_until_served(url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(20), httpx.AsyncClient() as http:
        while process.returncode is None:
            with suppress(httpx.TransportError):
                await http.get(f"{url}/openapi.json")
                return
            await asyncio.sleep(0.05)
    pytest.fail("the service did not start")


def transcript() -> list[tuple[str, str]]:
    """Return the curl commands of the documentation's transcript, each with what it printed."""
    page = (ROOT / "docs/fastapi.md").read_text()
    (block,) = (block for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL) if "service.py" in block)
    start, *commands = block.split("$ ")[1:]
    assert start == "python docs/examples/service.py &\n"
    return [(command, output) for command, _, output in (part.partition("\n") for part in commands)]


async def printed(http: httpx.AsyncClient, command: str, url: str) -> str:
    """Do what the command does, without needing curl: `curl -s [-H 'name: value'] URL [| filter]`."""
    words = shlex.split(command.replace("localhost:8000", url))
    end = words.index("|") if "|" in words else len(words)
    curl, then = words[:end], words[end + 1 :]
    assert curl[:2] == ["curl", "-s"]
    headers = dict([curl[3].split(": ")]) if curl[2] == "-H" else {}
    text = (await http.get(curl[-1], headers=headers)).text
    if then == ["tail", "-n", "1"]:
        return text.splitlines()[-1] + "\n"
    assert then == ["python", "-m", "json.tool"]
    return json.dumps(json.loads(text), indent=4) + "\n"


def timeless(text: str) -> str:
    """Return the text without what changes with the day, and with the version of Python."""
    text = text.replace("Unprocessable Content", "Unprocessable Entity")
    return re.sub(r"\d{4}-\d\d-\d\d(T[\d:.]+Z)?", "DATE", text)


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PINECONE_")]:
        monkeypatch.delenv(name)


@pytest.mark.soak
async def test_the_demonstration_of_the_documentation(tmp_path: Path, no_settings: None) -> None:
    command, log = [*PYTHON, str(EXAMPLE)], tmp_path / "log"
    async with running(command, free_port(), log, signal.SIGINT) as url, httpx.AsyncClient() as http:
        assert "made up" in log.read_text()
        shown = transcript()
        assert len(shown) >= 5
        for line, output in shown:
            assert timeless(await printed(http, line, url)) == timeless(output), line


async def test_under_uvicorn_a_missing_key_stops_it(no_settings: None) -> None:
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLE.parent), "--port", "0", "service:app"]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, told = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode != 0
    assert b"PINECONE_API_KEY" in told


@pytest.mark.soak
async def test_two_workers_answer_in_full(fake: FakePinecone, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    command = [*PYTHON, "-m", "uvicorn", "--app-dir", str(EXAMPLE.parent), "service:app"]
    command += ["--workers", "2", "--port", str(port)]
    async with running(command, port, log, signal.SIGTERM) as url, httpx.AsyncClient(timeout=20) as http:
        answers = await asyncio.gather(*(http.get(f"{url}/backups.ndjson") for _ in range(20)))
        assert len(re.findall(r"Started server process", log.read_text())) == 2
    for answer in answers:
        *rows, last = answer.text.splitlines()
        assert json.loads(last) == {"end": True, "count": len(rows)} == {"end": True, "count": 250}
    assert len(fake.requests) == 20 * 3
