"""The command on a terminal and as a process: colour, progress, pipes, signals, and what is missing."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time

import attrs
import pytest

from pinecone_backups_async.testing import Answer, FakePinecone
from tests.support.samples import row

from .conftest import Run


def test_a_table_with_progress_and_colour(project: FakePinecone, terminal: Run) -> None:
    """NO_COLOR is obeyed, and many rows are plain: rich would need seconds for them."""
    coloured, plain = terminal("list"), terminal("list", NO_COLOR="1")
    assert re.search("Listing backups.*250 backups of ", coloured.out, re.DOTALL)
    project.add(*(attrs.evolve(project.backups[0], backup_id=f"id-{number}") for number in range(1000)))
    many = terminal("list")
    assert ["\x1b[32m" in shown.out for shown in (coloured, plain, many)] == [True, False, False]


def test_a_table_fits_the_terminal(project: FakePinecone, terminal: Run) -> None:
    for line in "list --max-items 20", "check --max-age 26h":
        lines = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", terminal(line, COLUMNS="60").out).splitlines()
        assert 50 < max(len(line) for line in lines if "…" not in line) <= 60
    assert max(map(len, terminal("list --max-items 20 --wide", COLUMNS="60").out.splitlines())) > 120


@pytest.mark.parametrize(("line", "never"), [
    ("list", "\x07\u202e"), ("list -o csv", "\x1b\x07\u202e"), ("list -o jsonl", "\x1b\x07\u202e"),
    ("check --max-age 1h", "\x07\u202e"), ("check --max-age 1h -o prometheus", "\x07\u202e"),
])  # fmt: skip
def test_text_cannot_steer_the_terminal(project: FakePinecone, terminal: Run, line: str, never: str) -> None:
    """Nor is there progress between the lines of a listing."""
    evil = "\x1b]0;\u202epwned\x07"
    page = Answer(body={"data": [row("b1", name=evil, source_index_name=evil, status=evil)]})
    project.play(page, page)
    shown = terminal(line)
    assert ("\x1b]0" in shown.out, set(never) & set(shown.out)) == (False, set())
    assert re.search(r"\\(x|u00)1b]0;\\u202epwned", shown.out)


def test_a_verdict_for_a_person(project: FakePinecone, terminal: Run) -> None:
    """It has no performance data. Meanwhile the pass and its pages are shown. A failure is told once."""
    shown = terminal("check --max-age 26h")
    assert shown.code == 1
    assert re.search(r"\x1b\[1;33mWARNING\x1b\[0m  5 healthy, 1 stale \(images\)", shown.out)
    assert not re.search(r"\||BACKUPS", shown.out)
    assert "Checking backups… pass 3, 0 pages" in shown.out
    project.play(None, Answer.error(404, "NOT_FOUND", "Nothing here."))
    shown = terminal("check --max-age 26h")
    assert (shown.code, shown.out.count("Nothing here."), "… pass 1, 1 pages" in shown.out) == (2, 1, True)


@pytest.mark.parametrize(("line", "answer", "told"), [
    ("list", Answer.error(503, "UNAVAILABLE", "Later."), "503 from {}, retrying in"),
    ("list", Answer(body="{"), "an unreadable answer from {}, retrying in"),
    ("list -o csv", Answer.lost(), "the connection to {} failed, retrying in"),  # where no line changes meanwhile
])  # fmt: skip
def test_a_retry_is_one_line(project: FakePinecone, terminal: Run, line: str, answer: Answer, told: str) -> None:
    project.play(answer)
    host = project.url.removeprefix("http://")
    assert re.search(rf"{re.escape(told.format(host))} 0\.\d+ s, 2 of 4\r\n", terminal(line).out)


@pytest.mark.soak
def test_a_wait_shows_how_long_it_has_lasted(project: FakePinecone, terminal: Run) -> None:
    project.looks_until_ready = 2
    shown = terminal("create products --wait")
    assert re.search(r"Waiting for backup \w{8} of products, 1 s", shown.out)
    assert re.search(r"^\x1b\[1mstatus .*Ready\r$", shown.out, re.MULTILINE)


COMMAND = [sys.executable, "-m", "pinecone_backups_async"]


def started(*command: str, **environ: str) -> subprocess.Popen[bytes]:
    """Start a process. Python's development mode is off there: asyncio would report slow steps on stderr."""
    env = os.environ | {"PYTHONDEVMODE": ""} | environ
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


UNKNOWN = b"pinecone-backups: create_backup was cancelled, its outcome is unknown\n"


@pytest.mark.parametrize(("sig", "words", "code", "told"), [
    (signal.SIGINT, ["create", "products"], 130, UNKNOWN), (signal.SIGTERM, ["create", "products"], 143, UNKNOWN),
    (signal.SIGTERM, ["list"], 143, b""),
])  # fmt: skip
def test_a_signal_ends_it(project: FakePinecone, sig: signal.Signals, words: list[str], code: int, told: bytes) -> None:
    """It tells only what may have happened."""
    project.delay = 30
    with started(*COMMAND, *words) as process:
        while not project.requests:
            assert process.poll() is None
        process.send_signal(sig)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (code, b"", told)


def test_a_sigterm_that_is_ignored_stays_so(project: FakePinecone, run: Run) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert (run("list").code, signal.getsignal(signal.SIGTERM)) == (0, signal.SIG_IGN)
    finally:
        signal.signal(signal.SIGTERM, before)


UNWRITTEN = "pinecone-backups: the output could not be written: .*\n"


@pytest.mark.parametrize(("line", "code", "told"), [
    ("check --max-age 26h > /dev/full", 3, UNWRITTEN), ("list > /dev/full", 1, UNWRITTEN), ("list | head -n 1", 0, ""),
    ("check --max-age 26h --output json | true", 3, "BACKUPS WARNING .*\n"), ("check --max-age 1s >&-", 2, ""),
    ("list --max-items x 2> /dev/full", 2, ""),
    ("check --max-age 1s | grep '####' > /dev/null", 2, ""),  # what an encoding lacks is written otherwise
])  # fmt: skip
def test_what_cannot_be_written_is_no_verdict(project: FakePinecone, line: str, code: int, told: str) -> None:
    """A closed pipe ends it quietly."""
    script = f"set -o pipefail; {shlex.join(COMMAND)} {line}"
    with started("bash", "-c", script, PYTHONIOENCODING="ascii") as process:
        _, err = process.communicate(timeout=30)
    assert (process.returncode, bool(re.fullmatch(told, err.decode()))) == (code, True), err


RUN = "runpy.run_module('pinecone_backups_async', run_name='__main__')"
# The thread of the lookup interrupts the process, or nothing does. A signal that another thread receives does not wake
# the main thread, and neither does one that arrives just before the main thread begins to wait.
HANGING = """
import runpy, signal, socket, sys, threading, time
def hang(*_, **__):
    time.sleep(0.3)
    if sys.argv[-1] == "1h":
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
    time.sleep(60)
socket.getaddrinfo = hang
"""
CTRL_C = "event == 'import' and args[0] == 'cyclopts' and signal.raise_signal(signal.SIGINT)"
IMPORTED = "atexit.register(lambda: print(set({}) & sys.modules.keys(), file=sys.stderr))"
EXTRA = r"pinecone-backups needs more than the library: pip install 'pinecone-backups-async\[cli\]'\n"


@pytest.mark.parametrize(("before", "line", "code", "told"), [
    ("sys.modules['cyclopts'] = None", "list", 1, EXTRA), ("sys.modules['rich'] = None", "check", 3, EXTRA),
    ("sys.modules['csv'] = None", "check", 3, r"Traceback .*\nModuleNotFoundError: import of csv halted.*"),
    (f"sys.addaudithook(lambda event, args: {CTRL_C})", "list", 130, ""),
    # What needs no client imports none.
    (IMPORTED.format(["cyclopts", "rich", "aiohttp"]), "--version", 0, r"set\(\)\n"),
    (IMPORTED.format(["aiohttp", "tenacity", "cattrs"]), "list --help", 0, r"set\(\)\n"),
])  # fmt: skip
def test_how_it_starts(before: str, line: str, code: int, told: str) -> None:
    """What is missing, the extra or what nobody foresaw, is told and is no verdict; Ctrl-C ends it quietly."""
    program = f"import atexit, runpy, signal, sys; {before}; {RUN}"
    with started(sys.executable, "-c", program, *line.split()) as process:
        _, err = process.communicate(timeout=30)
    assert (process.returncode, bool(re.fullmatch(told, err.decode(), re.DOTALL))) == (code, True), err


@pytest.mark.parametrize(("timeout", "code"), [("1s", 2), ("1h", 130)])
def test_it_ends_although_a_name_hangs(project: FakePinecone, timeout: str, code: int) -> None:
    """Name resolution runs in a thread that nothing can cancel: the process does not wait for it."""
    command = [sys.executable, "-c", HANGING + RUN, "check", "--max-age", "1h", "--timeout", timeout]
    began = time.monotonic()
    with started(*command, PINECONE_CONTROLLER_HOST="https://name.example") as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (code, b"")
    assert out.startswith(b"BACKUPS CRITICAL - the check failed: TransportTimeoutError") is (code == 2)
    assert time.monotonic() - began < 8
