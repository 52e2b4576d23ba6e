"""Pages, limits and tokens, as the service cuts them; a project that changes between two requests; the sample data."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import pytest

from pinecone_backups_async.testing import FakePinecone, sample_backups
from tests.support.raw_request import NOW, backup, get

AFTER_TEN = "c2tpcD0wMDAwMDAxMCZzaXplPTAxMA=="
LIMITS = ["0", "101", "-1", "ten", "1.5", "", "1e1", "+5", "²", " 5", "9" * 5000]
TOKENS = [
    "", "nonsense", "ä",
    "bm9uc2Vuc2U=",  # well-formed base64 of something else
    f"{AFTER_TEN}!", AFTER_TEN[:-1], AFTER_TEN.replace("=", "%3D"),
    "c2tpcD0wMDAwMDAxMCZzaXplPTAwMA==",  # a page size of 0
    "c2tpcD0wMDAwMDAxMCZzaXplPTEwMQ==",  # a page size of 101
]  # fmt: skip


@pytest.mark.parametrize(("query", "rows"), [
    *(({"version": version}, rows) for version, rows in [("2025-10", 10), ("2026-04", 10), ("2026-07", 100)]),
    *(({"limit": limit}, limit) for limit in (1, 99, 100)),
])  # fmt: skip
async def test_how_many_rows_a_page_has(query: dict[str, Any], rows: int) -> None:
    async with FakePinecone(backups=150) as fake:
        assert (await get(fake, **query)).ids == [backup.backup_id for backup in fake.backups[:rows]]


@pytest.mark.parametrize(("name", "value", "message"), [
    *(("limit", value, "limit must be an integer from 1 to 100.") for value in LIMITS),
    *(("paginationToken", value, "Invalid pagination token.") for value in TOKENS),
])  # fmt: skip
async def test_what_is_malformed_is_a_400(name: str, value: str, message: str) -> None:
    async with FakePinecone(backups=20) as fake:
        assert (await get(fake, limit=10)).next_token == AFTER_TEN
        assert (await get(fake, **{name: value})).error == (400, message)


async def test_a_token_carries_its_page_size(fake: FakePinecone) -> None:
    """A limit beside it keeps the position and cuts the page anew; a full last page has a token too."""
    token = (await get(fake, limit=2)).next_token
    assert (await get(fake, paginationToken=token)).ids == ["c", "d"]
    shorter = await get(fake, paginationToken=token, limit=1)
    last = await get(fake, paginationToken=shorter.next_token)
    assert (shorter.ids, last.ids, (await get(fake, limit=5)).next_token) == (["c"], ["d"], None)
    full = await get(fake, limit=4)
    assert (await get(fake, paginationToken=full.next_token)).json == {"data": [], "pagination": None}


async def test_the_newest_come_first_and_the_undated_last() -> None:
    async with FakePinecone([backup("old", 9), backup("x", None), backup("new", 1), backup("y", None)]) as fake:
        assert (await get(fake)).ids == ["new", "old", "x", "y"]
        fake.add(backup("between", 3), attrs.evolve(backup("old", 9), status="Failed"))
        rows = (await get(fake)).json["data"]
    states = {"new": "Ready", "between": "Ready", "old": "Failed", "x": "Ready", "y": "Ready"}
    assert [(row["backup_id"], row["status"]) for row in rows] == list(states.items())


async def test_a_change_between_two_pages_shifts_the_second(fake: FakePinecone) -> None:
    """So a deletion hides a backup, and an insertion shows one twice."""
    token = (await get(fake, limit=2)).next_token
    fake.add(backup("fresh"))
    assert (await get(fake, paginationToken=token)).ids == ["b", "c"]
    fake.delete("fresh")
    fake.delete("a")
    assert (await get(fake, paginationToken=token)).ids == ["d"]
    with pytest.raises(KeyError, match="a"):
        fake.delete("a")


def test_a_project_is_worth_looking_at() -> None:
    """Six indexes, one of them made anew; most backups are Ready; the same `now` gives the same ones."""
    backups = sample_backups(250, now=NOW)
    assert sample_backups(250, now=NOW) == backups
    assert {b.backup_id for b in sample_backups(60, now=NOW)} < {b.backup_id for b in backups}
    times = [backup.created_at or NOW for backup in backups]
    assert times == sorted(times, reverse=True)
    assert NOW - dt.timedelta(days=60) < times[-1] < times[0] < NOW
    assert len({backup.backup_id for backup in backups}) == 250
    assert len({backup.source_index_name for backup in backups}) == 6
    assert len({backup.source_index_id for backup in backups if backup.source_index_name == "docs-search"}) == 2
    statuses = [backup.status for backup in backups]
    assert statuses.count("Ready") > 225
    assert {"Initializing", "Pending", "Failed", "InitializationFailed"} < set(statuses)
    ends = [(b.created_at or NOW, b.source_index_deleted_at) for b in backups if b.source_index_deleted_at]
    assert {created < end for created, end in ends} == {True}


def test_ages_count_from_the_present_by_default() -> None:
    (newest,) = sample_backups(1)
    assert newest.created_at is not None
    assert dt.timedelta() < dt.datetime.now(dt.UTC) - newest.created_at < dt.timedelta(days=1)
    with pytest.raises(ValueError, match="count must not be negative, not -1"):
        sample_backups(-1)
