"""Listings of scripted pages: exact, finite, keeping their position; and the inventory's proof."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from itertools import pairwise
from typing import Any, cast

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinecone_backups_async import (
    Backup,
    BackupPage,
    BackupPager,
    IncompleteListingError,
    PaginationLoopError,
)
from pinecone_backups_async._pager import prove_complete
from tests.support.churn_explorer import FetchPage, backup


def page(ids: str, next_token: str | None = None) -> BackupPage:
    return BackupPage(data=tuple(map(backup, ids)), next_token=next_token)


class Pages:
    """Serve pages by token, and remember what was asked."""

    def __init__(self, *pages: tuple[str | None, BackupPage]) -> None:
        self.pages = dict(pages)
        self.asked: list[str | None] = []

    async def __call__(self, token: str | None) -> BackupPage:
        self.asked.append(token)
        return self.pages[token]


THREE = [(None, page("abc", "t1")), ("t1", page("def", "t2")), ("t2", page("g"))]


async def ids(pager: BackupPager) -> str:
    return "".join([item.backup_id async for item in pager])


async def test_each_iteration_starts_from_the_beginning() -> None:
    fetch = Pages(*THREE)
    pager = BackupPager(fetch)
    assert fetch.asked == []
    assert [item.backup_id for item in await pager.to_list()] == list("abcdefg")
    assert [found async for found in pager.pages()] == [found for _, found in THREE]
    assert fetch.asked == [None, "t1", "t2"] * 2
    assert await ids(BackupPager(fetch, "t1")) == "defg"


@pytest.mark.parametrize("max_items", range(9))
async def test_max_items_cuts_items_exactly(max_items: int) -> None:
    """Pages are never cut: the last one is that which reaches the number, with the service's own token."""
    fetch = Pages(*THREE)
    assert await ids(BackupPager(fetch, None, max_items)) == "abcdefg"[:max_items]
    assert len(fetch.asked) == min(3, -(-max_items // 3))
    pages = [found async for found in BackupPager(fetch, None, max_items).pages()]
    assert pages == [found for _, found in THREE][: len(pages)]
    assert len(pages) == min(3, -(-max_items // 3))


async def test_P6_empty_pages_in_the_middle_end_nothing() -> None:
    tokens = [None, *(f"t{number}" for number in range(1000))]
    fetch = Pages(*((token, page("", after)) for token, after in pairwise(tokens)), ("t999", page("z")))
    assert await ids(BackupPager(fetch)) == "z"
    assert len(fetch.asked) == 1001


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("lead", [0, 1, 2])
async def test_P1_a_repeated_token_is_an_error(length: int, lead: int) -> None:
    """Behind the page of the last token comes the first's again; no backup is yielded twice, and it stays an error."""
    tokens = [f"t{number if number < lead else lead + (number - lead) % length}" for number in range(20)]
    script = iter([*tokens, "never"])

    async def fetch(_: str | None) -> BackupPage:
        token = next(script)
        return attrs.evolve(page(token[1], token), request_id=f"r{token}")

    walk, seen = aiter(BackupPager(fetch)), ""
    for _ in range(2):
        with pytest.raises(PaginationLoopError) as caught:
            while True:
                seen += (await anext(walk)).backup_id
        assert (caught.value.pagination_token, caught.value.request_id) == (f"t{lead}", f"rt{lead}")
    assert seen == "".join(dict.fromkeys(token[1] for token in tokens))


async def test_P1_the_first_token_counts_as_used() -> None:
    with pytest.raises(PaginationLoopError):
        await ids(BackupPager(Pages(("t", page("a", "t"))), "t"))


async def test_P1_ten_thousand_pages_without_new_are_a_loop() -> None:
    async def fetch(token: str | None) -> BackupPage:
        return page("a", f"{int(token or 0) + 1}")

    walk = BackupPager(fetch).pages()
    with pytest.raises(PaginationLoopError, match="10,000 pages in a row"):
        for _ in range(10_002):
            await anext(walk)


# P7, P8, P9, what comes after a failed page: tests/completeness/test_page_faults.py.
async def test_L10_two_tasks_on_one_iterator() -> None:
    release = asyncio.Event()

    async def fetch(token: str | None) -> BackupPage:
        await release.wait()
        return dict(THREE)[token]

    walk = aiter(BackupPager(fetch))
    first = asyncio.ensure_future(cast("Coroutine[Any, Any, Backup]", anext(walk)))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="already in use by another task"):
        await anext(walk)
    release.set()
    assert "".join(item.backup_id for item in [await first, *[item async for item in walk]]) == "abcdefg"


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


@given(st.lists(st.integers(0, 30), max_size=80), st.integers(1, 7), st.none() | st.integers(0, 90))
def test_any_listing_is_iterated_exactly(numbers: list[int], size: int, max_items: int | None) -> None:
    """A backup that comes twice is yielded once, in the first page that has it."""
    rows = [backup(str(number)) for number in numbers]

    async def fetch(token: str | None) -> BackupPage:
        start = int(token or 0)
        rest = start + size < len(rows)
        return BackupPage(data=tuple(rows[start : start + size]), next_token=str(start + size) if rest else None)

    async def pages() -> list[Backup]:
        return [item async for found in BackupPager(fetch).pages() for item in found.data]

    assert asyncio.run(BackupPager(fetch, None, max_items).to_list()) == list(dict.fromkeys(rows))[:max_items]
    assert asyncio.run(pages()) == list(dict.fromkeys(rows))


def scripted(*passes: list[BackupPage]) -> FetchPage:
    """Serve the pages of one pass after another."""
    script = iter([found for listing in passes for found in listing])

    async def fetch(_: str | None) -> BackupPage:
        return next(script)

    return fetch


def one_pass(*pages: str) -> list[BackupPage]:
    return [page(rows, str(number) if number < len(pages) else None) for number, rows in enumerate(pages, 1)]


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
    if proven is not None:
        found = await prove_complete(scripted(*passes), len(passes))
        assert "".join(item.backup_id for item in found) == proven
        return
    why = "a page without data" if NO_DATA in passes else "could not be proven complete: it changed"
    with pytest.raises(IncompleteListingError, match=why) as caught:
        await prove_complete(scripted(*passes), len(passes))
    seen = {item.backup_id for listing in passes for found in listing for item in found.data}
    assert {item.backup_id for item in caught.value.backups} == seen
    assert caught.value.passes == len(passes)
