"""What starts the server: `python -m pinecone_backups_async.testing`, and the fixture of the pytest plugin."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

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


WRONG = {
    "--backups=-1": "argument --backups: must be from 0 to 100000, not -1",
    "--backups=many": "argument --backups: invalid integer value: 'many'",
    "--port=65536": "argument --port: must be from 0 to 65535, not 65536",
    "--port={taken}": "address already in use",
    "--help-me": "unrecognized arguments: --help-me",
}


@pytest.mark.parametrize(("argument", "complaint"), WRONG.items())
async def test_wrong_use_exits_with_2(argument: str, complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with FakePinecone() as fake:
        with pytest.raises(SystemExit) as caught:
            await asyncio.to_thread(main, [argument.format(taken=fake.url.rpartition(":")[2])])
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err


THEIR_TEST = """
import pytest
from pinecone_backups_async import BackupsClient

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.{mark}
async def test_theirs(fake_pinecone):
    async with BackupsClient(fake_pinecone.api_key, base_url=fake_pinecone.url) as client:
        assert len(await client.list_backups().to_list()) == 250

@pytest.mark.{mark}
async def test_each_test_has_its_own(fake_pinecone):
    assert fake_pinecone.requests == []
"""
LOOP = ["-o", "asyncio_default_fixture_loop_scope=function"]
ALONE = ["-p", "anyio.pytest_plugin", "-p", "pinecone_backups_async.testing.plugin"]


@pytest.mark.soak
@pytest.mark.parametrize(("mark", "prelude", "options"), [
    ("asyncio(loop_scope='session')", "", ["--asyncio-mode=strict", *LOOP]),
    ("anyio", "", ["--asyncio-mode=auto", *LOOP]),
    ("anyio", "sys.modules['pytest_asyncio'] = None", ALONE),  # as if it were not installed
])  # fmt: skip
def test_it_is_there_in_a_project_of_its_own(
    mark: str, prelude: str, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_theirs.py").write_text(THEIR_TEST.format(mark=mark))
    if options is ALONE:
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    arguments = ["-q", "-p", "no:cacheprovider", "-W", "error", *options, "."]
    command = [sys.executable, "-c", f"import sys; {prelude}\nimport pytest; sys.exit(pytest.main({arguments}))"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, "2 passed" in result.stdout) == (0, True), result.stdout + result.stderr
