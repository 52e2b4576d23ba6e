"""Pages, limits and tokens, as the service cuts them; a project that changes between two requests; the sample data."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from pinecone_backups_async.testing import FakePinecone, sample_backups
from tests.support.raw_request import NOW, backup, get


def four() -> FakePinecone:
    return FakePinecone([backup(name, days) for days, name in enumerate("abcd")])


@pytest.mark.parametrize(("version", "default"), [("2025-10", 10), ("2026-04", 10), ("2026-07", 100)])
async def test_without_a_limit_a_page_has_the_versions_default(version: str, default: int) -> None:
    async with FakePinecone(backups=150) as fake:
        assert len((await get(fake, version=version)).ids) == default


@pytest.mark.parametrize("limit", [1, 99, 100])
async def test_a_page_has_as_many_as_the_limit_says(limit: int) -> None:
    async with FakePinecone(backups=150) as fake:
        reply = await get(fake, limit=limit)
        assert reply.ids == [backup.backup_id for backup in fake.backups[:limit]]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "1.5", "", "1e1", "+5", "²", " 5", "9" * 5000])
async def test_a_limit_out_of_range_is_a_400(limit: str) -> None:
    async with FakePinecone(backups=1) as fake:
        assert (await get(fake, limit=limit)).error == (400, "limit must be an integer from 1 to 100.")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "ä",
        "bm9uc2Vuc2U=",  # well-formed base64 of something else
        "c2tpcD0wMDAwMDAxMCZzaXplPTAxMA==!",  # something behind it
        "c2tpcD0wMDAwMDAxMCZzaXplPTAxMA=",  # padding lost
        "c2tpcD0wMDAwMDAxMCZzaXplPTAxMA%3D%3D",  # encoded twice
        "c2tpcD0wMDAwMDAxMCZzaXplPTAwMA==",  # a page size of 0
        "c2tpcD0wMDAwMDAxMCZzaXplPTEwMQ==",  # a page size of 101
    ],
)
async def test_a_malformed_token_is_a_400(token: str) -> None:
    async with FakePinecone(backups=20) as fake:
        assert (await get(fake, limit=10)).next_token == "c2tpcD0wMDAwMDAxMCZzaXplPTAxMA=="
        assert (await get(fake, paginationToken=token)).error == (400, "Invalid pagination token.")


async def test_a_limit_beside_a_token_keeps_the_position_and_cuts_the_page_anew() -> None:
    """A token carries its page size, and ends in equals signs."""
    async with four() as fake:
        token = (await get(fake, limit=2)).next_token
        assert token is not None
        assert token.endswith("==")
        assert (await get(fake, paginationToken=token)).ids == ["c", "d"]
        shorter = await get(fake, paginationToken=token, limit=1)
        assert shorter.ids == ["c"]
        assert shorter.next_token is not None
        last = await get(fake, paginationToken=shorter.next_token)
        assert (last.ids, (await get(fake, limit=5)).next_token) == (["d"], None)


async def test_a_full_last_page_still_has_a_token_and_an_empty_page_follows() -> None:
    async with four() as fake:
        token = (await get(fake, limit=4)).next_token
        assert token is not None
        assert (await get(fake, paginationToken=token)).json == {"data": [], "pagination": None}


async def test_the_newest_come_first_and_those_without_a_time_last() -> None:
    async with FakePinecone([backup("old", 9), backup("x", None), backup("new", 1), backup("y", None)]) as fake:
        assert (await get(fake)).ids == ["new", "old", "x", "y"]
        fake.add(backup("between", 3), attrs.evolve(backup("old", 9), status="Failed"))
        rows = (await get(fake)).json["data"]
    states = {"new": "Ready", "between": "Ready", "old": "Failed", "x": "Ready", "y": "Ready"}
    assert [(row["backup_id"], row["status"]) for row in rows] == list(states.items())


@pytest.mark.parametrize("change", ["delete", "insert"])
async def test_a_change_between_two_pages_shifts_the_second(change: str) -> None:
    """So a deletion hides a backup, and an insertion shows one twice."""
    async with four() as fake:
        first = await get(fake, limit=2)
        fake.delete("a") if change == "delete" else fake.add(backup("fresh"))
        assert first.next_token is not None
        second = await get(fake, paginationToken=first.next_token)
    assert first.ids == ["a", "b"]
    assert second.ids == (["d"] if change == "delete" else ["b", "c"])


async def test_deleting_what_is_not_there_is_a_key_error() -> None:
    fake = four()
    fake.delete("a")
    with pytest.raises(KeyError, match="a"):
        fake.delete("a")


def test_the_same_now_gives_the_same_backups_and_fewer_are_a_part_of_more() -> None:
    assert sample_backups(250, now=NOW) == sample_backups(250, now=NOW)
    assert {b.backup_id for b in sample_backups(60, now=NOW)} < {b.backup_id for b in sample_backups(250, now=NOW)}


def test_a_project_is_worth_looking_at() -> None:
    backups = sample_backups(250, now=NOW)
    times = [backup.created_at or NOW for backup in backups]
    assert times == sorted(times, reverse=True)
    assert NOW - dt.timedelta(days=60) < times[-1]
    assert times[0] < NOW
    assert len({backup.backup_id for backup in backups}) == 250
    assert len({backup.source_index_name for backup in backups}) == 6
    assert len({backup.source_index_id for backup in backups if backup.source_index_name == "docs-search"}) == 2
    statuses = [backup.status for backup in backups]
    assert statuses.count("Ready") > 225
    assert {"Initializing", "Pending", "Failed", "InitializationFailed"} < set(statuses)
    ends = [(b.created_at or NOW, b.source_index_deleted_at) for b in backups if b.source_index_deleted_at]
    assert ends
    assert all(created < end for created, end in ends)


def test_the_present_is_where_ages_count_from_by_default() -> None:
    (newest,) = sample_backups(1)
    assert newest.created_at is not None
    assert dt.timedelta() < dt.datetime.now(dt.UTC) - newest.created_at < dt.timedelta(days=1)


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="count must not be negative, not -1"):
        sample_backups(-1)
