"""What the tests of the command share: ways to run it in this process."""

from __future__ import annotations

import contextlib
import os
import pty
import sys
from collections.abc import Callable
from threading import Thread

import attrs
import pytest

from pinecone_backups_async import Backup, RestoreJob
from pinecone_backups_async.cli._app import run as run_command
from pinecone_backups_async.testing import FakePinecone


@attrs.frozen
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def plain_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("NO_COLOR", "1")


def replace_backups(project: FakePinecone, *things: Backup | RestoreJob) -> None:
    for old in project.backups:
        project.delete(old.backup_id)
    project.add(*things)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a line of words in a pipe, with these variables in the environment."""

    def run(line: str, **environ: str) -> Outcome:
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            code = run_command(line.split())
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a line on a terminal, where stdout and stderr are one, and types an answer."""

    def run(line: str, *, answer: str = "", **environ: str) -> Outcome:
        ours, theirs = pty.openpty()
        os.write(ours, answer.encode())
        shown: list[bytes] = []
        reader = Thread(target=read_terminal, args=(ours, shown))
        reader.start()
        with monkeypatch.context() as patch:
            patch.delenv("NO_COLOR")
            for name, value in ({"COLUMNS": "120", "TERM": "xterm"} | environ).items():
                patch.setenv(name, value)
            for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
                patch.setattr(sys, name, os.fdopen(os.dup(theirs), mode, buffering=1))
            code = run_command(line.split())
            for name in ("stdin", "stdout", "stderr"):
                getattr(sys, name).close()
        os.close(theirs)
        reader.join()
        os.close(ours)
        text = b"".join(shown).decode()
        return Outcome(code, text, text)

    return run


def read_terminal(descriptor: int, shown: list[bytes]) -> None:
    with contextlib.suppress(OSError):  # the other end has closed
        while True:
            shown.append(os.read(descriptor, 65536))
