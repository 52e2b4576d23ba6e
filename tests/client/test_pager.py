"""Walks over scripted pages: exact, finite, keeping their place; and the inventory's proof."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import pairwise

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
    ServiceError,
)
from pinecone_backups_async._pager import prove_complete

Fetch = Callable[[str | None], Awaitable[BackupPage]]


def backup(backup_id: str) -> Backup:
    return Backup(
        backup_id=backup_id, source_index_name="i", source_index_id="1", status="Ready", cloud="aws", region="us-east-1"
    )


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


async def test_backups_come_page_after_page() -> None:
    fetch = Pages(*THREE)
    assert await ids(BackupPager(fetch)) == "abcdefg"
    assert fetch.asked == [None, "t1", "t2"]


async def test_a_pager_has_no_state_and_each_iteration_is_a_walk_of_its_own() -> None:
    fetch = Pages(*THREE)
    pager = BackupPager(fetch)
    assert fetch.asked == []
    assert [item.backup_id for item in await pager.to_list()] == list("abcdefg")
    assert await ids(pager) == "abcdefg"


async def test_pages_come_as_they_are_and_a_later_walk_goes_on_behind_each() -> None:
    fetch = Pages(*THREE)
    walked = [found async for found in BackupPager(fetch).pages()]
    assert walked == [found for _, found in THREE]
    assert await ids(BackupPager(fetch, pagination_token=walked[0].next_token)) == "defg"


@pytest.mark.parametrize("max_items", range(9))
async def test_max_items_ends_the_walk_exactly_there_without_a_needless_request(max_items: int) -> None:
    fetch = Pages(*THREE)
    assert await ids(BackupPager(fetch, max_items=max_items)) == "abcdefg"[:max_items]
    assert len(fetch.asked) == min(3, -(-max_items // 3))


async def test_a_page_cut_short_by_max_items_has_the_token_of_its_own_request() -> None:
    pages = [found async for found in BackupPager(Pages(*THREE), max_items=5).pages()]
    assert [(len(found.data), found.next_token) for found in pages] == [(3, "t1"), (2, "t1")]
    pages = [found async for found in BackupPager(Pages(*THREE), max_items=6).pages()]
    assert [(len(found.data), found.next_token) for found in pages] == [(3, "t1"), (3, "t2")]
    pages = [found async for found in BackupPager(Pages(*THREE), max_items=2).pages()]
    assert [(len(found.data), found.next_token) for found in pages] == [(2, None)]


async def test_a_backup_that_comes_twice_is_yielded_once() -> None:
    fetch = Pages((None, page("aab", "t1")), ("t1", page("bcb", "t2")), ("t2", page("a")))
    assert await ids(BackupPager(fetch)) == "abc"
    assert [[b.backup_id for b in found.data] async for found in BackupPager(fetch).pages()] == [["a", "b"], ["c"], []]


async def test_empty_pages_in_the_middle_end_nothing() -> None:
    tokens = [None, *(f"t{number}" for number in range(1000))]
    fetch = Pages(*((token, page("", after)) for token, after in pairwise(tokens)), ("t999", page("z")))
    assert await ids(BackupPager(fetch)) == "z"
    assert len(fetch.asked) == 1001


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("lead", [0, 1, 2])
async def test_a_token_that_comes_back_is_an_error_before_a_page_is_repeated(length: int, lead: int) -> None:
    tokens = [None, *(f"t{number}" for number in range(1, lead + length))]
    circle = [*tokens[1:], tokens[lead] or "t-first"]
    letters = iter("abcdefghij")
    fetch = Pages(*((token, page(next(letters), after)) for token, after in zip(tokens, circle, strict=True)))
    fetch.pages["t-first"] = page("a", circle[0])
    walk = aiter(BackupPager(fetch))
    seen: list[str] = []
    with pytest.raises(PaginationLoopError) as caught:
        while True:
            seen.append((await anext(walk)).backup_id)
    assert len(set(seen)) == len(seen) == lead + length
    assert caught.value.pagination_token in {*tokens, "t-first"}
    with pytest.raises(PaginationLoopError):
        await anext(walk)


async def test_a_walk_that_starts_at_a_token_knows_that_token() -> None:
    with pytest.raises(PaginationLoopError):
        await ids(BackupPager(Pages(("t", page("a", "t"))), pagination_token="t"))


async def test_ten_thousand_pages_without_anything_new_are_a_loop() -> None:
    async def fetch(token: str | None) -> BackupPage:
        return page("a", f"{int(token or 0) + 1}")

    walk = BackupPager(fetch).pages()
    with pytest.raises(PaginationLoopError, match="10000 pages in a row"):
        for _ in range(10_002):
            await anext(walk)


class Failing(Pages):
    """Fail each page once before serving it."""

    async def __call__(self, token: str | None) -> BackupPage:
        if token not in self.asked:
            self.asked.append(token)
            raise ServiceError("down", status=500)
        return await super().__call__(token)


async def test_after_an_error_the_next_anext_goes_on_where_the_walk_stood() -> None:
    walk = aiter(BackupPager(Failing(*THREE)))
    seen, failures = "", 0
    while len(seen) < 7:
        try:
            seen += (await anext(walk)).backup_id
        except ServiceError:
            failures += 1
    assert (seen, failures) == ("abcdefg", 3)
    for _ in range(2):
        with pytest.raises(StopAsyncIteration):
            await anext(walk)


async def test_after_a_timeout_or_a_cancellation_the_walk_goes_on() -> None:
    fetch = Pages(*THREE)
    slow = True

    async def slow_at_first(token: str | None) -> BackupPage:
        nonlocal slow
        slow = not slow
        await asyncio.sleep(0 if slow else 60)
        return await fetch(token)

    walk = aiter(BackupPager(slow_at_first))
    seen = ""
    while len(seen) < 7:
        try:
            seen += (await asyncio.wait_for(anext(walk), 0.01)).backup_id
        except TimeoutError:
            continue
    assert seen == "abcdefg"


async def test_two_tasks_on_one_walk_are_told_so_and_lose_nothing() -> None:
    release = asyncio.Event()
    fetch = Pages(*THREE)

    async def gated(token: str | None) -> BackupPage:
        await release.wait()
        return await fetch(token)

    walk = aiter(BackupPager(gated))

    async def take() -> Backup:
        return await anext(walk)

    first = asyncio.create_task(take())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="two tasks iterate one walk"):
        await anext(walk)
    release.set()
    rest = [item.backup_id for item in [await first, *[item async for item in walk]]]
    assert "".join(rest) == "abcdefg"


async def test_a_pager_cannot_be_awaited_nor_a_page_iterated() -> None:
    pager = BackupPager(Pages(*THREE))
    assert not hasattr(pager, "__await__")
    assert not hasattr(page("a"), "__iter__")
    assert not hasattr(pager, "__iter__")


async def test_a_finished_walk_is_told_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="pinecone_backups_async")
    await ids(BackupPager(Pages(*THREE)))
    await BackupPager(Pages(*THREE), max_items=4).to_list()
    assert [record.getMessage() for record in caplog.records] == [
        "a walk ended: 7 backups in 3 pages",
        "a walk ended: 6 backups in 2 pages",
    ]


async def test_a_loop_tells_which_answer_closed_it() -> None:
    last = attrs.evolve(page("d", "t1"), request_id="req-2")
    with pytest.raises(PaginationLoopError) as caught:
        await ids(BackupPager(Pages((None, page("abc", "t1")), ("t1", last))))
    assert (caught.value.request_id, caught.value.pagination_token) == ("req-2", "t1")


@given(st.lists(st.integers(0, 30), max_size=80), st.integers(1, 7), st.none() | st.integers(0, 90))
def test_any_listing_is_walked_exactly(numbers: list[int], size: int, max_items: int | None) -> None:
    rows = [backup(str(number)) for number in numbers]

    async def fetch(token: str | None) -> BackupPage:
        start = int(token or 0)
        rest = start + size < len(rows)
        return BackupPage(data=tuple(rows[start : start + size]), next_token=str(start + size) if rest else None)

    walked = asyncio.run(BackupPager(fetch, max_items=max_items).to_list())
    assert walked == list(dict.fromkeys(rows))[:max_items]


def scripted(*passes: list[str]) -> tuple[Fetch, list[str | None]]:
    """Serve one list of pages after another, each for a pass of its own."""
    asked: list[str | None] = []
    number = -1

    async def fetch(token: str | None) -> BackupPage:
        nonlocal number
        asked.append(token)
        number += token is None
        at = int(token or 0)
        pages = passes[number]
        return page(pages[at], str(at + 1) if at + 1 < len(pages) else None)

    return fetch, asked


async def inventory(*passes: list[str], max_passes: int = 5) -> str:
    fetch, _ = scripted(*passes)
    return "".join(item.backup_id for item in await prove_complete(fetch, max_passes))


async def test_two_passes_prove_a_quiet_project_complete() -> None:
    fetch, asked = scripted(["ab", "c"], ["ab", "c"])
    assert [item.backup_id for item in await prove_complete(fetch, 2)] == ["a", "b", "c"]
    assert asked == [None, "1", None, "1"]


async def test_insertions_and_moves_do_not_matter() -> None:
    assert await inventory(["ab", "c"], ["nc", "ab"]) == "ncab"


async def test_a_pass_with_a_backup_twice_proves_nothing() -> None:
    assert await inventory(["ab", "bc"], ["ab", "c"], ["ab", "c"]) == "abc"
    with pytest.raises(IncompleteListingError):
        await inventory(["ab", "bc"], ["ab", "c"], max_passes=2)


async def test_a_backup_that_is_missing_from_the_next_pass_takes_another_pair() -> None:
    assert await inventory(["ab", "c"], ["b", "c"], ["bc"]) == "bc"


async def test_where_no_pair_of_passes_proves_it_the_error_holds_all_that_was_seen() -> None:
    with pytest.raises(IncompleteListingError, match="could not be proven complete") as caught:
        await inventory(["ab"], ["bc"], ["cd"], max_passes=3)
    assert "".join(sorted(item.backup_id for item in caught.value.backups)) == "abcd"
    assert caught.value.passes == 3
