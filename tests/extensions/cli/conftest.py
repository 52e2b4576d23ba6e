"""What the tests of the command share: a served project that the environment points at, and a way to run the command."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import attrs
import pytest

from pinecone_backups_async.cli._app import run as run_command
from pinecone_backups_async.testing import FakePinecone


@attrs.frozen
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PINECONE_")]:
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
