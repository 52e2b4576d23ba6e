"""What the README and the documentation claim in numbers and names is what the code has."""

from __future__ import annotations

import inspect
import re
from collections.abc import Set as AbstractSet

import pytest

import pinecone_backups_async._calls as calls
from pinecone_backups_async import BackupsClient, RetryPolicy
from pinecone_backups_async._arguments import MAX_INDEX_NAME, MAX_KEY_LENGTH, MAX_LIMIT, MAX_TOKEN_BYTES
from pinecone_backups_async._decode import MAX_BODY, MAX_ERROR_BODY, MAX_VALUES
from pinecone_backups_async._pager import MAX_PAGES_WITHOUT_NEW
from pinecone_backups_async._protocol import MAX_DETAILS, MAX_TEXT
from pinecone_backups_async._retry import RETRY_COST, TIMEOUT_COST, TRANSIENT_STATUSES
from pinecone_backups_async._structure import MAX_PROBLEMS, MAX_ROWS
from tests.support.layers import ROOT

PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
# Changelogs tell what was, and the page of figures what was measured.
TEXTS = [page.read_text() for page in PAGES if page.stem not in {"changelog", "performance"}]
PUBLIC = (BackupsClient, RetryPolicy, *vars(BackupsClient).values())
PROSE = "\n".join(" ".join(text.split()) for text in [*TEXTS, *(inspect.getdoc(each) or "" for each in PUBLIC)])
POLICY = RetryPolicy()


def default(method: str, argument: str) -> float:
    return float(inspect.signature(getattr(BackupsClient, method)).parameters[argument].default)


LIMITS: dict[str, AbstractSet[float]] = {
    r"(\S+) MiB": {MAX_BODY / 2**20},
    r"(\S+) KiB": {MAX_ERROR_BODY / 2**10, MAX_TOKEN_BYTES / 2**10},
    r"larger than (\S+) KiB": {MAX_DETAILS / 2**10},
    r"(?:`, at most|by its path, up to|names all, up to) (\d+)": {MAX_PROBLEMS},
    r"(\S+) values": {MAX_VALUES},
    r"(?:more than|MiB when decompressed,|body,) (\S+) backups(?:,? (?:or|and) )": {MAX_ROWS},
    r"values or (\S+) backups": {MAX_ROWS},
    r"(\S+) pages (?:in a row|without)": {MAX_PAGES_WITHOUT_NEW},
    r"(\S+) characters(?! long enough)": {MAX_TEXT, MAX_KEY_LENGTH},
    r"(?:from 1|page has, 1) to (\d+)": {MAX_LIMIT},
    r"(?:name`? has|new index:) 1 to (\d+)": {MAX_INDEX_NAME},
    r"(?<!\| )(\S+) attempts\b": {POLICY.attempts},
    r"(?:budget of|never exceeds) (\d+)": {POLICY.quota},
    r"retry costs (\d+)": {RETRY_COST},
    r"or (\d+) after a timeout": {TIMEOUT_COST},
    r"from 0 to min\((\d+)": {POLICY.max_delay},
    r"min\(\d+, (\S+) ": {POLICY.base_delay},
    r"waits of up to (\S+), 1 and 2 seconds": {POLICY.base_delay},
    r"(\S+) s for an attempt": {default("__init__", "attempt_timeout")},
    r"(\S+) s for a call": {default("__init__", "timeout")},
    r"between looks are (\S+) s": {calls.FIRST_DELAY},
    r"(\S+) times longer each time": {calls.DELAY_GROWTH},
    r"each time, up to (\S+) s": {calls.MAX_DELAY},
    r"varies by up to (\S+) %": {calls.JITTER * 100},
    r"`max_passes` passes, (\d+) by default": {default("inventory", "max_passes")},
    r"at most (\d+) requests": {500 + POLICY.quota / RETRY_COST},
    r"waits for up to (\d+) s more": {sum(calls.LOOKS_AFTER_CREATE)},
    r"404 is accepted for (\S+) s[,.]": set(calls.MAY_BE_MISSING.values()),
    r"or (\S+) s for a restore job": {calls.MAY_BE_MISSING["the restore job"]},
    r"`timeout` is (\S+) s": {default("wait_until_ready", "timeout"), default("wait_until_restored", "timeout")},
    r"and (\S+) s for `wait_until_deleted`": {default("wait_until_deleted", "timeout")},
}


def number(text: str) -> float | None:
    try:
        return float(text.strip("(|").replace(",", ""))
    except ValueError:
        return None


@pytest.mark.parametrize("pattern", LIMITS)
def test_every_limit_in_prose_is_the_codes(pattern: str) -> None:
    """Each pattern is somewhere, and every number that it finds is that of the code."""
    found = {value for text in re.findall(pattern, PROSE) if (value := number(text)) is not None}
    assert found
    assert found <= LIMITS[pattern]


def test_the_retried_statuses_in_prose_are_the_codes() -> None:
    """A GET is sent again for all of them; 429 stands apart, where a POST is."""
    lists = {frozenset(map(int, re.findall(r"\d+", text))) for text in re.findall(r"408(?:,? (?:and )?\d{3})+", PROSE)}
    assert lists
    assert lists <= {TRANSIENT_STATUSES, TRANSIENT_STATUSES - {429}}


def test_the_looks_after_a_lost_write_are_the_codes() -> None:
    lists = re.findall(r"after ((?:\d, )+\d and \d) seconds", PROSE)
    looks = {tuple(map(float, re.findall(r"\d", text))) for text in lists}
    assert looks == {calls.LOOKS_AFTER_CREATE, calls.LOOKS_AFTER_RESTORE}


def test_every_row_of_the_reliability_page_has_a_test() -> None:
    rows: list[str] = []
    for cell in re.findall(r"^\| ([A-Z]\d[^|]*) \|", (ROOT / "docs/reliability.md").read_text(), re.MULTILINE):
        for first, last in re.findall(r"([A-Z]\d+)(?:-[A-Z](\d+))?", cell):
            rows += [f"{first[0]}{n}" for n in range(int(first[1:]), int(last or first[1:]) + 1)]
    tests = [
        name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    ]
    assert len(rows) > 50
    assert [row for row in rows if not any(f"_{row}_" in name for name in tests)] == []
