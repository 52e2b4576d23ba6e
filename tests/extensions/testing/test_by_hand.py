"""`python -m pinecone_backups_async.testing`: run for real, and in this process."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import runpy
import signal
import socket
import sys
import threading
import time
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from pinecone_backups_async import BackupsClient, testing
from pinecone_backups_async.testing import FakePinecone
from pinecone_backups_async.testing.__main__ import main

MODULE = "pinecone_backups_async.testing"


async def test_what_it_prints_points_a_client_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    command = (sys.executable, "-W", "error", "-m", MODULE, "--port", "0", "--backups", "120")
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(20):
        lines = [(await process.stdout.readline()).decode() for _ in range(3)]
    for line in lines[:2]:
        export, _, assignment = line.rstrip("\n").partition(" ")
        assert export == "export"
        name, _, value = assignment.partition("=")
        monkeypatch.setenv(name, value)
    assert lines[2] == f"# 120 backups at {os.environ['PINECONE_CONTROLLER_HOST']}/backups until Ctrl-C\n"
    async with BackupsClient() as client:
        assert len(await client.list_backups().to_list()) == 120
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert (await process.stdout.read(), await process.stderr.read()) == (b"", b"")


def run_here(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["testing", *arguments])
    runpy.run_path(str(Path(testing.__file__).with_name("__main__.py")), run_name="__main__")


def is_served(port: int) -> bool:
    """Return whether an exchange succeeds: a server interrupted as it accepts would leave that socket open."""
    visitor = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    with contextlib.closing(visitor), contextlib.suppress(OSError):
        visitor.request("GET", "/backups")
        return visitor.getresponse().status == 401
    return False


def test_it_serves_until_it_is_interrupted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    reached, over = threading.Event(), threading.Event()

    def interrupt_when_reached() -> None:
        deadline = time.monotonic() + 10
        while not over.wait(0.01) and time.monotonic() < deadline:
            if is_served(port):
                reached.set()
                break
        if not over.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    visitor = threading.Thread(target=interrupt_when_reached)
    visitor.start()
    try:
        run_here(monkeypatch, "--port", str(port), "--backups", "3")
    finally:
        over.set()
        visitor.join()
    assert reached.is_set()
    assert (
        f"export PINECONE_CONTROLLER_HOST=http://127.0.0.1:{port}\nexport PINECONE_API_KEY=" in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--backups", "-1"], "argument --backups: must be from 0 to 100000, not -1"),
        (["--backups", "many"], "argument --backups: invalid integer value: 'many'"),
        (["--port", "65536"], "argument --port: must be from 0 to 65535, not 65536"),
        (["--help-me"], "unrecognized arguments: --help-me"),
    ],
)
def test_wrong_use_is_said_and_exits_with_2(
    arguments: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run_here(monkeypatch, *arguments)
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err


async def test_a_port_that_is_taken_is_said_and_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    async with FakePinecone() as fake:
        with pytest.raises(SystemExit) as caught:
            await asyncio.to_thread(main, ["--port", fake.url.rpartition(":")[2]])
    assert caught.value.code == 2
    assert "address already in use" in capsys.readouterr().err
