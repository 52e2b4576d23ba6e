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


async def test_it_serves_until_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """It prints what points a client at it."""
    command = (sys.executable, "-W", "error", "-m", "pinecone_backups_async.testing", "--port", "0", "--backups", "120")
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(20):
        *exports, last = [(await process.stdout.readline()).decode() for _ in range(3)]
    for line in exports:
        export, name, value = line.rstrip("\n").replace("=", " ").split(" ")
        assert export == "export"
        monkeypatch.setenv(name, value)
    assert last == f"# 120 backups at {os.environ['PINECONE_CONTROLLER_HOST']}/backups until Ctrl-C\n"
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
        (["--port", "{taken}"], "address already in use"),
        (["--help-me"], "unrecognized arguments: --help-me"),
    ],
)
async def test_wrong_use_exits_with_2(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakePinecone() as fake:
        words = [word.format(taken=fake.url.rpartition(":")[2]) for word in arguments]
        with pytest.raises(SystemExit) as caught:
            await asyncio.to_thread(main, words)
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err
