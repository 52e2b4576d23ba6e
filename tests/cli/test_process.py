"""The command as a process: terminals, pipes, signals, and an environment without the extra."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pinecone_backups_async.cli import main
from pinecone_backups_async.testing import FakePinecone
from tests.served import served

COMMAND = [sys.executable, "-c", "from pinecone_backups_async.cli import main; main()"]


@pytest.fixture(scope="module")
def fake() -> Iterator[FakePinecone]:
    with served(2500) as project:
        yield project


def environment(fake: FakePinecone) -> dict[str, str]:
    return {**os.environ, **fake.environ, "COLUMNS": "120", "TERM": "xterm"}


def read_terminal(descriptor: int) -> str:
    text = b""
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # the other end has closed
            return text.decode()
        text += chunk


@pytest.mark.parametrize("no_color", [False, True])
def test_on_a_terminal_it_is_a_table_with_progress_and_colour_unless_refused(
    fake: FakePinecone, no_color: bool
) -> None:
    ours, theirs = pty.openpty()
    env = environment(fake) | ({"NO_COLOR": "1"} if no_color else {})
    env = env if no_color else {name: value for name, value in env.items() if name != "NO_COLOR"}
    with subprocess.Popen([*COMMAND, "list"], env=env, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        text = read_terminal(ours)
    os.close(ours)
    assert process.returncode == 0
    assert "2500 backups of " in text
    assert "Listing backups" in text
    assert ("\x1b[32m" in text) is not no_color


def test_a_closed_pipe_ends_it_quietly(fake: FakePinecone) -> None:
    with subprocess.Popen(
        [*COMMAND, "list"], env=environment(fake), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"backup_id"')
        process.stdout.close()
        assert (process.wait(20), process.stderr.read()) == (0, b"")


def test_ctrl_c_ends_it_quietly(fake: FakePinecone) -> None:
    fake.delay = 30
    seen = len(fake.requests)
    with subprocess.Popen(
        [*COMMAND, "list"], env=environment(fake), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        while len(fake.requests) == seen:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    fake.delay = 0
    assert (process.returncode, out, err) == (130, b"", b"")


def test_the_entry_point_exits_with_the_commands_code(fake: FakePinecone) -> None:
    done = subprocess.run(
        [*COMMAND, "list", "--max-items", "x"], env=environment(fake), capture_output=True, check=False
    )
    assert done.returncode == 2


@pytest.mark.parametrize("missing", ["cyclopts", "rich"])
def test_without_the_extra_it_says_what_to_install(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    for name in [name for name in sys.modules if name.startswith("pinecone_backups_async.cli.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(SystemExit, match=r"pip install 'pinecone-backups-async\[cli\]'"):
        main()


def test_another_missing_module_is_not_mistaken_for_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "csv", None)
    for name in [name for name in sys.modules if name.startswith("pinecone_backups_async.cli.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ModuleNotFoundError, match="csv"):
        main()
