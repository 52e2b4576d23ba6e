"""`python -m pinecone_backups_async.testing`: run for real, and its complaints."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE

import pytest

from pinecone_backups_async import BackupsClient
from pinecone_backups_async.testing import FakePinecone
from pinecone_backups_async.testing.__main__ import main

MODULE = "pinecone_backups_async.testing"


async def test_what_it_prints_points_a_client_at_it_and_ctrl_c_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
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
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err


async def test_a_port_that_is_taken_is_said_and_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    async with FakePinecone() as fake:
        with pytest.raises(SystemExit) as caught:
            await asyncio.to_thread(main, ["--port", fake.url.rpartition(":")[2]])
    assert caught.value.code == 2
    assert "address already in use" in capsys.readouterr().err
