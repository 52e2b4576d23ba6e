"""Listings of scripted pages: exact, finite, keeping their position; and the inventory's proof."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinecone_backups_async import Backup, BackupPage, BackupPager, IncompleteListingError, PaginationLoopError
from pinecone_backups_async._pager import prove_complete
from tests.support.churn_explorer import backup, page_of


def page(ids: str, next_token: str | None = None) -> BackupPage:
    return BackupPage(data=tuple(map(backup, ids)), next_token=next_token)


def one_pass(*pages: str) -> list[BackupPage]:
    """Return the pages of a listing, whose tokens are 1, 2 and so on."""
    return [page(rows, str(number) if number < len(pages) else None) for number, rows in enumerate(pages, 1)]


class Pages:
    """Serve one page after another, and remember which tokens were asked for."""

    def __init__(self, *pages: BackupPage) -> None:
        self.left = iter(pages)
        self.asked: list[str | None] = []

    async def __call__(self, token: str | None) -> BackupPage:
        self.asked.append(token)
        return next(self.left)


THREE = one_pass("abc", "def", "g")


async def ids(walk: AsyncIterable[Backup]) -> str:
    return "".join([item.backup_id async for item in walk])


async def test_each_iteration_starts_from_the_beginning() -> None:
    fetch = Pages(*THREE, *THREE)
    pager = BackupPager(fetch)
    assert fetch.asked == []
    assert [item.backup_id for item in await pager.to_list()] == list("abcdefg")
    assert [found async for found in pager.pages()] == THREE
    assert fetch.asked == [None, "1", "2"] * 2
    fetch = Pages(*THREE[1:])
    assert await ids(BackupPager(fetch, "1")) == "defg"
    assert fetch.asked == ["1", "2"]


@pytest.mark.parametrize("max_items", range(9))
async def test_max_items_cuts_items_exactly(max_items: int) -> None:
    """Pages are never cut: the last one is that which reaches the number, with the service's own token."""
    fetch, needed = Pages(*THREE), min(3, -(-max_items // 3))
    assert await ids(BackupPager(fetch, None, max_items)) == "abcdefg"[:max_items]
    assert len(fetch.asked) == needed
    assert [found async for found in BackupPager(Pages(*THREE), None, max_items).pages()] == THREE[:needed]


async def test_P6_empty_pages_in_the_middle_end_nothing() -> None:
    assert await ids(BackupPager(Pages(*one_pass(*[""] * 1000, "z")))) == "z"


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("lead", [0, 1, 2])
async def test_P1_a_repeated_token_is_an_error(length: int, lead: int) -> None:
    """Behind the page of the last token comes the first's again; no backup is yielded twice, and it stays an error."""
    tokens = [f"t{number if number < lead else lead + (number - lead) % length}" for number in range(20)]
    fetch = Pages(*[attrs.evolve(page(token[1], token), request_id=f"r{token}") for token in tokens])
    walk, seen = aiter(BackupPager(fetch)), ""
    for _ in range(2):
        with pytest.raises(PaginationLoopError) as caught:
            while True:
                seen += (await anext(walk)).backup_id
        assert (caught.value.pagination_token, caught.value.request_id) == (f"t{lead}", f"rt{lead}")
    assert seen == "".join(dict.fromkeys(token[1] for token in tokens))
    with pytest.raises(PaginationLoopError):
        await ids(BackupPager(Pages(page("a", "t")), "t"))  # that of the beginning counts as used


async def test_P1_ten_thousand_pages_without_new_are_a_loop() -> None:
    fetch = Pages(*one_pass(*["a"] * 10_002))
    with pytest.raises(PaginationLoopError, match="10,000 pages in a row"):
        await ids(BackupPager(fetch))
    assert len(fetch.asked) == 10_001


# P7, P8, P9, what comes after a failed page: tests/completeness/test_page_faults.py.
async def test_L10_two_tasks_on_one_iterator() -> None:
    release, pages = asyncio.Event(), Pages(*THREE)

    async def fetch(token: str | None) -> BackupPage:
        await release.wait()
        return await pages(token)

    walk = aiter(BackupPager(fetch))
    first = asyncio.create_task(ids(walk))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="already in use by another task"):
        await anext(walk)
    release.set()
    assert await first == "abcdefg"


async def test_misuse_of_a_pager_says_what_to_write() -> None:
    pager: Any = BackupPager(Pages(*THREE))
    for misuse in (pager.__await__, pager.__iter__):
        with pytest.raises(
            TypeError, match=r"neither `await` nor `for` .*: use `async for`.* or `await pager.to_list\(\)`"
        ):
            misuse()


async def test_the_end_of_a_listing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="pinecone_backups_async")
    await ids(BackupPager(Pages(*THREE)))
    await BackupPager(Pages(*THREE), None, 4).to_list()
    assert [record.getMessage() for record in caplog.records] == [
        "a listing ended (exhausted): 7 items in 3 pages",
        "a listing ended (max_items): 6 items in 2 pages",
    ]


@given(st.lists(st.integers(0, 30), max_size=80), st.integers(1, 7), st.none() | st.integers(0, 90), st.booleans())
def test_any_listing_is_iterated_exactly(numbers: list[int], size: int, max_items: int | None, eager: bool) -> None:
    """A backup that comes twice is yielded once, in the first page that has it."""
    listing = tuple(map(str, numbers))
    once = list(map(backup, dict.fromkeys(listing)))

    async def fetch(token: str | None) -> BackupPage:
        return page_of(listing, token, size, eager=eager)

    async def pages() -> list[Backup]:
        return [item async for found in BackupPager(fetch).pages() for item in found.data]

    assert asyncio.run(BackupPager(fetch, None, max_items).to_list()) == once[:max_items]
    assert asyncio.run(pages()) == once


NO_DATA = [BackupPage(data=(), data_missing=True)]
PROOFS: dict[str, tuple[list[list[BackupPage]], str | None]] = {
    "a quiet project": ([one_pass("ab", "c"), one_pass("ab", "c")], "abc"),
    "insertions and moves": ([one_pass("ab", "c"), one_pass("nc", "ab")], "ncab"),
    "a backup twice in a pass": ([one_pass("ab", "bc"), one_pass("ab", "c"), one_pass("ab", "c")], "abc"),
    "twice, and no other pass": ([one_pass("ab", "bc"), one_pass("ab", "c")], None),
    "a deleted backup": ([one_pass("ab", "c"), one_pass("b", "c"), one_pass("bc")], "bc"),
    "always another": ([one_pass("ab"), one_pass("bc"), one_pass("cd")], None),
    "no data": ([NO_DATA, NO_DATA], None),
    "no data as a candidate": ([NO_DATA, one_pass("b"), one_pass("c")], None),
    "no data as a confirmation": ([one_pass(""), NO_DATA, one_pass("a")], None),
    "no data, then nothing": ([NO_DATA, one_pass(""), one_pass("")], ""),
    "no data between": ([one_pass("a"), NO_DATA, one_pass("ab"), one_pass("ab")], "ab"),
}


@pytest.mark.parametrize("case", PROOFS)
async def test_what_proves_a_listing_complete(case: str) -> None:
    """A page without data takes no part in a proof; without one the error has all that was seen."""
    passes, proven = PROOFS[case]
    pages = [found for listing in passes for found in listing]
    if proven is not None:
        found = await prove_complete(Pages(*pages), len(passes))
        assert "".join(item.backup_id for item in found) == proven
        return
    why = "a page without data" if NO_DATA in passes else "could not be proven complete: it changed"
    with pytest.raises(IncompleteListingError, match=why) as caught:
        await prove_complete(Pages(*pages), len(passes))
    seen = {item.backup_id for found in pages for item in found.data}
    assert {item.backup_id for item in caught.value.backups} == seen
    assert caught.value.passes == len(passes)
