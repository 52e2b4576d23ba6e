"""Pages, limits and tokens, as the service cuts them; and a project that changes between two requests."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from pinecone_backups_async import Backup
from pinecone_backups_async.testing import FakePinecone, sample_backups
from tests.support.raw_request import get

NOW = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)


def backup(name: str, days_old: int | None = 0) -> Backup:
    created = None if days_old is None else NOW - dt.timedelta(days=days_old)
    return Backup(
        backup_id=name,
        source_index_name="products",
        source_index_id="idx-1",
        status="Ready",
        cloud="aws",
        region="us-east-1",
        created_at=created,
    )


def four() -> FakePinecone:
    return FakePinecone([backup(name, days) for days, name in enumerate("abcd")])


@pytest.mark.parametrize(("version", "default"), [("2026-04", 10), ("2026-07", 100)])
async def test_without_a_limit_a_page_has_the_versions_default(version: str, default: int) -> None:
    async with FakePinecone(backups=150) as fake:
        assert len((await get(fake, version=version)).ids) == default


@pytest.mark.parametrize("limit", [1, 99, 100])
async def test_a_page_has_as_many_as_the_limit_says(limit: int) -> None:
    async with FakePinecone(backups=150) as fake:
        reply = await get(fake, limit=limit)
        assert reply.ids == [backup.backup_id for backup in fake.backups[:limit]]


async def test_a_token_carries_its_page_size_and_ends_in_equals_signs() -> None:
    async with four() as fake:
        token = (await get(fake, limit=3)).next_token
        assert token is not None
        assert token.endswith("==")
        reply = await get(fake, paginationToken=token)
    assert (reply.ids, reply.next_token) == (["d"], None)


async def test_a_limit_beside_a_token_keeps_the_position_and_cuts_the_page_anew() -> None:
    async with four() as fake:
        token = (await get(fake, limit=2)).next_token
        assert token is not None
        shorter = await get(fake, paginationToken=token, limit=1)
        assert shorter.ids == ["c"]
        assert shorter.next_token is not None
        assert (await get(fake, paginationToken=shorter.next_token)).ids == ["d"]


async def test_a_full_last_page_still_has_a_token_and_an_empty_page_follows() -> None:
    async with four() as fake:
        token = (await get(fake, limit=4)).next_token
        assert token is not None
        assert (await get(fake, paginationToken=token)).json == {"data": [], "pagination": None}


async def test_the_newest_come_first_and_those_without_a_time_last() -> None:
    async with FakePinecone([backup("old", 9), backup("x", None), backup("new", 1), backup("y", None)]) as fake:
        assert (await get(fake)).ids == ["new", "old", "x", "y"]


async def test_a_deletion_between_two_pages_hides_a_backup_from_the_walk() -> None:
    async with four() as fake:
        first = await get(fake, limit=2)
        fake.delete("a")
        assert first.next_token is not None
        second = await get(fake, paginationToken=first.next_token)
    assert (first.ids, second.ids) == (["a", "b"], ["d"])


async def test_an_insertion_between_two_pages_shows_a_backup_twice() -> None:
    async with four() as fake:
        first = await get(fake, limit=2)
        fake.add(backup("fresh"))
        assert first.next_token is not None
        second = await get(fake, paginationToken=first.next_token)
    assert (first.ids, second.ids) == (["a", "b"], ["b", "c"])


async def test_what_is_added_stands_where_its_age_puts_it() -> None:
    async with four() as fake:
        fake.add(backup("between", 1), backup("oldest", 30))
        assert (await get(fake)).ids == ["a", "between", "b", "c", "d", "oldest"]


async def test_a_backup_that_is_added_again_takes_the_place_of_its_former_self() -> None:
    async with four() as fake:
        fake.add(attrs.evolve(backup("c", 2), status="Failed"))
        rows = (await get(fake)).json["data"]
    assert [(row["backup_id"], row["status"]) for row in rows] == [
        ("a", "Ready"),
        ("b", "Ready"),
        ("c", "Failed"),
        ("d", "Ready"),
    ]


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


def test_no_backup_is_younger_than_the_end_of_its_index() -> None:
    ends = [
        (b.created_at, b.source_index_deleted_at) for b in sample_backups(250, now=NOW) if b.source_index_deleted_at
    ]
    assert ends
    assert all(created is not None and created < end for created, end in ends)


def test_the_present_is_where_ages_count_from_by_default() -> None:
    (newest,) = sample_backups(1)
    assert newest.created_at is not None
    assert dt.timedelta() < dt.datetime.now(dt.UTC) - newest.created_at < dt.timedelta(days=1)


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="count must not be negative, not -1"):
        sample_backups(-1)
