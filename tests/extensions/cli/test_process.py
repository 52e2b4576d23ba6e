"""The command as a process: terminals, pipes, signals, and an environment without the extra."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from pinecone_backups_async.cli import main
from pinecone_backups_async.testing import FakePinecone

COMMAND = [sys.executable, "-m", "pinecone_backups_async"]


def environment(fake: FakePinecone, **more: str) -> dict[str, str]:
    return {**os.environ, **fake.environ, "COLUMNS": "120", **more}


def started_process(fake: FakePinecone, *words: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen([*COMMAND, *words], env=environment(fake), stdout=pipe, stderr=pipe)


@pytest.fixture(scope="module")
def fake() -> Iterator[FakePinecone]:
    with FakePinecone(2500) as project:
        yield project


def test_a_closed_pipe_ends_it_quietly(fake: FakePinecone) -> None:
    with started_process(fake, "list") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"backup_id"')
        process.stdout.close()
        assert (process.wait(20), process.stderr.read()) == (0, b"")


@pytest.mark.parametrize(("words", "told"), [
    (["list"], b""), (["create", "products"], b"create_backup was cancelled, its outcome is unknown"),
])  # fmt: skip
def test_ctrl_c_ends_it(fake: FakePinecone, words: list[str], told: bytes) -> None:
    """Quietly, unless something may have happened."""
    fake.delay = 30
    seen = len(fake.requests)
    with started_process(fake, *words) as process:
        while len(fake.requests) == seen:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    fake.delay = 0
    assert (process.returncode, out, err.removeprefix(b"pinecone-backups: ").rstrip()) == (130, b"", told)


Started = Callable[[str], tuple[object, str]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Started:
    """Return a function that starts a command from the import on, and returns its exit code and what it printed."""

    def start(command: str) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", ["pinecone-backups", command])
        for name in [name for name in sys.modules if name.startswith("pinecone_backups_async.cli.")]:
            monkeypatch.delitem(sys.modules, name)
        with pytest.raises(SystemExit) as caught:
            main()
        return caught.value.code, "".join(capsys.readouterr())

    return start


@pytest.mark.parametrize(("missing", "told"), [
    ("cyclopts", "pip install 'pinecone-backups-async[cli]'"), ("rich", "pip install 'pinecone-backups-async[cli]'"),
    ("csv", "ModuleNotFoundError: import of csv halted"),
])  # fmt: skip
@pytest.mark.parametrize(("command", "code"), [("list", 1), ("check", 3)])
def test_what_is_missing_is_told_and_is_no_verdict(
    started: Started, monkeypatch: pytest.MonkeyPatch, missing: str, told: str, command: str, code: int
) -> None:
    """The extra, or what nobody foresaw."""
    for name in [name for name in sys.modules if name.startswith(f"{missing}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    found, printed = started(command)
    assert (found, told in printed) == (code, True)


class Interrupted(ModuleType):
    """A module in whose import somebody presses Ctrl-C."""

    def __getattr__(self, name: str) -> object:
        raise KeyboardInterrupt


def test_ctrl_c_while_it_starts_ends_it_quietly(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cyclopts", Interrupted("cyclopts"))
    assert started("list") == (130, "")


def shell(fake: FakePinecone, line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash that begins with the words of the command."""
    script = f"set -o pipefail; {shlex.join(COMMAND)} {line}"
    env = environment(fake, **environ)
    return subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("line", "code"), [
    ("check --max-age 26h > /dev/full", 3), ("list > /dev/full", 1), ("check --max-age 26h --output json | true", 3),
    ("check --max-age 1s | true", 3), ("list | true", 0), ("list --demo 2> /dev/full > /dev/null", 0),
    ("check --max-age 1s >&-", 2), ("list --max-items x 2> /dev/full", 2),
])  # fmt: skip
def test_what_cannot_be_written_is_no_verdict(fake: FakePinecone, line: str, code: int) -> None:
    done = shell(fake, line)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)


@pytest.mark.parametrize(("line", "encoding", "code", "told"), [
    ("check --max-age 1s", "ascii", 2, "####"), ("list --output table --max-items 2", "latin-1", 0, ""),
])  # fmt: skip
def test_what_an_encoding_lacks(fake: FakePinecone, line: str, encoding: str, code: int, told: str) -> None:
    """It is written otherwise."""
    done = shell(fake, line, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr, told in done.stdout) == (code, "", True)


RUN = "runpy.run_module('pinecone_backups_async', run_name='__main__')"
HANGING = """
import os, runpy, socket, time
socket.getaddrinfo = lambda *_, **__: os.write(2, b"?") + time.sleep(60)
"""


@pytest.mark.parametrize(("timeout", "code"), [("1s", 2), ("1h", 130)])
def test_it_ends_although_a_name_hangs(fake: FakePinecone, timeout: str, code: int) -> None:
    """Name resolution runs in a thread that nothing can cancel: the process does not wait for it."""
    env = environment(fake, PINECONE_CONTROLLER_HOST="https://name.example")
    command = [sys.executable, "-c", HANGING + RUN, "check", "--max-age", "1h", "--timeout", timeout]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert process.stderr.read(1) == b"?"
        began = time.monotonic()
        if code == 130:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (code, b"")
    assert out.startswith(b"BACKUPS CRITICAL - the check failed: TransportTimeoutError") is (code == 2)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(("words", "heavy"), [
    (["--version"], {"cyclopts", "rich", "aiohttp"}), (["list", "--help"], {"aiohttp", "tenacity", "cattrs"}),
])  # fmt: skip
def test_what_needs_no_client_imports_none(words: list[str], heavy: set[str]) -> None:
    code = f"import atexit, runpy, sys; atexit.register(lambda: print({heavy} & sys.modules.keys(), file=sys.stderr)); "
    done = subprocess.run([sys.executable, "-c", code + RUN, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "set()\n")
