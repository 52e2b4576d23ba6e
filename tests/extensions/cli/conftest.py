"""What the tests of the command share: a served project, and ways to run the command in and out of this process."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator

import attrs
import pytest

from pinecone_backups_async.cli._app import run as run_command
from pinecone_backups_async.testing import FakePinecone

COMMAND = [sys.executable, "-m", "pinecone_backups_async"]


@attrs.frozen
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


def environment(fake: FakePinecone, **more: str) -> dict[str, str]:
    quiet = {name: value for name, value in os.environ.items() if name != "NO_COLOR" and "proxy" not in name.lower()}
    return {**quiet, **fake.environ, "COLUMNS": "120", "TERM": "xterm", **more}


def on_terminal(fake: FakePinecone, *words: str, answer: str = "", **more: str) -> Outcome:
    """Run the command on a terminal, on which stdout and stderr are one, and type an answer."""
    ours, theirs = pty.openpty()
    env = environment(fake, **more)
    with subprocess.Popen([*COMMAND, *words], env=env, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        text = read_terminal(ours)
    os.close(ours)
    return Outcome(process.returncode, text, text)


def read_terminal(descriptor: int) -> str:
    text = b""
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # the other end has closed
            return text.decode()
        text += chunk


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PINECONE_") or "proxy" in name.lower()]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePinecone]:
    with FakePinecone(250) as fake:
        for name, value in fake.environ.items():
            monkeypatch.setenv(name, value)
        yield fake


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> Outcome:
        code = run_command(words)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run
