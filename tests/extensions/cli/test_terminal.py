"""The command on a terminal: tables in colour, progress, verdicts, and nothing that can steer the terminal."""

from __future__ import annotations

import re

import attrs
import pytest

from pinecone_backups_async.testing import Answer, FakePinecone, sample_backups
from tests.support.samples import row

from .conftest import Run


@pytest.mark.parametrize("environ", [{}, {"NO_COLOR": "1"}])
def test_a_table_with_progress_and_colour(project: FakePinecone, terminal: Run, environ: dict[str, str]) -> None:
    """NO_COLOR is obeyed."""
    shown = terminal("list", **environ)
    assert (shown.code, "\x1b[32m" in shown.out) == (0, not environ)
    assert re.search("Listing backups.*250 backups of ", shown.out, re.DOTALL)


@pytest.mark.parametrize("columns", ["40", "60", "80", "100", "120"])
def test_a_table_fits_the_terminal(project: FakePinecone, terminal: Run, columns: str) -> None:
    for words in (["list", "--max-items", "20"], ["check", "--max-age", "26h"]):
        lines = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", terminal(*words, COLUMNS=columns).out).splitlines()
        assert 20 < max(len(line) for line in lines if "…" not in line) <= int(columns)
    assert max(map(len, terminal("list", "--max-items", "20", "--wide", COLUMNS=columns).out.splitlines())) > 120


def test_many_rows_are_plain(project: FakePinecone, terminal: Run) -> None:
    """rich would need seconds for them."""
    backup = sample_backups(1)[0]
    project.add(*(attrs.evolve(backup, backup_id=f"id-{number}") for number in range(1000)))
    shown = terminal("list").out
    assert ("\x1b[32m" in shown, "1250 backups of 7 indexes" in shown) == (False, True)


@pytest.mark.parametrize(("line", "never"), [
    ("list -o csv", "\x1b\x07"), ("list -o jsonl", "\x1b\x07"), ("check --max-age 1h -o prometheus", "\x07"),
])  # fmt: skip
def test_data_cannot_steer_the_terminal(project: FakePinecone, terminal: Run, line: str, never: str) -> None:
    """Nor is there progress between the lines of a listing."""
    evil = "\x1b]0;pwned\x07"
    page = Answer(body={"data": [row("b1", name=evil, source_index_name=evil)]})
    project.play(page, page)
    shown = terminal(*line.split()).out
    assert ("\x1b]0" in shown, set(never) & set(shown)) == (False, set())
    assert re.search(r"\\(x|u00)1b]0;pwned", shown)


def test_a_verdict_has_no_performance_data(project: FakePinecone, terminal: Run) -> None:
    """Meanwhile the pass and its pages are shown."""
    project.delay = 0.2
    shown = terminal("check", "--max-age", "26h")
    assert shown.code == 1
    assert re.search(r"\x1b\[1;33mWARNING\x1b\[0m  5 healthy, 1 stale \(images\)", shown.out)
    assert not re.search(r"\||BACKUPS", shown.out)
    assert "Checking backups… pass 2, 1 pages" in shown.out


def test_a_failure_is_told_once(project: FakePinecone, terminal: Run) -> None:
    project.play(Answer.error(404, "NOT_FOUND", "Nothing here."))
    shown = terminal("check", "--max-age", "26h")
    assert (shown.code, shown.out.count("Nothing here.")) == (2, 1)


@pytest.mark.parametrize(("answer", "told"), [
    (Answer.error(503, "UNAVAILABLE", "Later."), "503 from {}, retrying in"),
    (Answer(body="{"), "an unreadable answer from {}, retrying in"),
    (Answer.lost(), "the connection to {} failed, retrying in"),
])  # fmt: skip
@pytest.mark.parametrize("words", [[], ["-o", "csv"]])
def test_a_retry_is_told_in_one_line(
    project: FakePinecone, terminal: Run, answer: Answer, told: str, words: list[str]
) -> None:
    project.play(answer)
    shown = terminal("list", "--max-items", "1", *words)
    host = project.url.removeprefix("http://")
    assert re.search(rf"{re.escape(told.format(host))} 0\.\d+ s, 2 of 4\r\n", shown.out)


@pytest.mark.soak
def test_a_wait_shows_how_long_it_has_lasted(project: FakePinecone, terminal: Run) -> None:
    project.looks_until_ready = 2
    shown = terminal("create", "products", "--wait")
    assert re.search(r"Waiting for backup \w{8} of products, 1 s", shown.out)
    assert re.search(r"^\x1b\[1mstatus .*Ready\r$", shown.out, re.MULTILINE)
