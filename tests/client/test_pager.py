"""Walks over scripted pages: exact, finite, keeping their place; and the inventory's proof."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

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


async def test_each_iteration_starts_from_the_beginning() -> None:
    fetch = Pages(*THREE)
    pager = BackupPager(fetch)
    assert fetch.asked == []
    assert [item.backup_id for item in await pager.to_list()] == list("abcdefg")
    assert await ids(pager) == "abcdefg"


async def test_pages_come_as_they_are_and_resume() -> None:
    fetch = Pages(*THREE)
    walked = [found async for found in BackupPager(fetch).pages()]
    assert walked == [found for _, found in THREE]
    assert await ids(BackupPager(fetch, pagination_token=walked[0].next_token)) == "defg"


@pytest.mark.parametrize("max_items", range(9))
async def test_max_items_cuts_items_exactly(max_items: int) -> None:
    fetch = Pages(*THREE)
    assert await ids(BackupPager(fetch, max_items=max_items)) == "abcdefg"[:max_items]
    assert len(fetch.asked) == min(3, -(-max_items // 3))


@pytest.mark.parametrize(("max_items", "sizes", "tokens"), [(5, [3, 3], ["t1", "t2"]), (3, [3], ["t1"]), (0, [], [])])
async def test_max_items_never_cuts_a_page(max_items: int, sizes: list[int], tokens: list[str]) -> None:
    """The iteration ends after the page that reaches the number, with the service's own token."""
    pages = [found async for found in BackupPager(Pages(*THREE), max_items=max_items).pages()]
    assert [len(found.data) for found in pages] == sizes
    assert [found.next_token for found in pages] == tokens


async def test_resuming_by_max_items_reaches_the_end() -> None:
    """A service that sends more rows than were asked for does not make the resumed listing short."""
    token, seen = None, ""
    while True:
        pages = [p async for p in BackupPager(Pages(*THREE), pagination_token=token, max_items=1).pages()]
        seen += "".join(item.backup_id for item in pages[-1].data)
        token = pages[-1].next_token
        if token is None:
            break
    assert seen == "abcdefg"


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
async def test_a_repeated_token_is_an_error(length: int, lead: int) -> None:
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


async def test_the_first_token_counts_as_used() -> None:
    with pytest.raises(PaginationLoopError):
        await ids(BackupPager(Pages(("t", page("a", "t"))), pagination_token="t"))


async def test_ten_thousand_pages_without_new_are_a_loop() -> None:
    async def fetch(token: str | None) -> BackupPage:
        return page("a", f"{int(token or 0) + 1}")

    walk = BackupPager(fetch).pages()
    with pytest.raises(PaginationLoopError, match="10,000 pages in a row"):
        for _ in range(10_002):
            await anext(walk)


class Failing(Pages):
    """Fail each page once before serving it."""

    async def __call__(self, token: str | None) -> BackupPage:
        if token not in self.asked:
            self.asked.append(token)
            raise ServiceError("down", status=500)
        return await super().__call__(token)


async def test_after_an_error_anext_continues() -> None:
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


async def test_after_a_timeout_anext_continues() -> None:
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


async def test_two_tasks_on_one_iterator() -> None:
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
    with pytest.raises(RuntimeError, match="already in use by another task"):
        await anext(walk)
    release.set()
    rest = [item.backup_id for item in [await first, *[item async for item in walk]]]
    assert "".join(rest) == "abcdefg"


async def test_misuse_of_a_pager_says_what_to_write() -> None:
    pager: Any = BackupPager(Pages(*THREE))
    with pytest.raises(TypeError, match=r"use `async for` or `await pager.to_list\(\)`"):
        await pager
    with pytest.raises(TypeError, match=r"needs `async for`"):
        list(pager)
    assert "async for" in repr(pager)


async def test_the_end_of_a_listing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="pinecone_backups_async")
    await ids(BackupPager(Pages(*THREE)))
    await BackupPager(Pages(*THREE), max_items=4).to_list()
    assert [record.getMessage() for record in caplog.records] == [
        "a listing ended (exhausted): 7 items in 3 pages",
        "a listing ended (max_items): 6 items in 2 pages",
    ]


async def test_a_loop_names_its_last_request() -> None:
    last = attrs.evolve(page("d", "t1"), request_id="req-2")
    with pytest.raises(PaginationLoopError) as caught:
        await ids(BackupPager(Pages((None, page("abc", "t1")), ("t1", last))))
    assert (caught.value.request_id, caught.value.pagination_token) == ("req-2", "t1")


@given(st.lists(st.integers(0, 30), max_size=80), st.integers(1, 7), st.none() | st.integers(0, 90))
def test_any_listing_is_iterated_exactly(numbers: list[int], size: int, max_items: int | None) -> None:
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


async def test_a_deleted_backup_takes_another_pair() -> None:
    assert await inventory(["ab", "c"], ["b", "c"], ["bc"]) == "bc"


async def test_without_a_proof_the_error_has_all_seen() -> None:
    with pytest.raises(IncompleteListingError, match="could not be proven complete") as caught:
        await inventory(["ab"], ["bc"], ["cd"], max_passes=3)
    assert "".join(sorted(item.backup_id for item in caught.value.backups)) == "abcd"
    assert caught.value.passes == 3


async def test_a_page_without_data_takes_no_part_in_a_proof() -> None:
    """It makes no candidate and confirms none, whatever comes beside it."""
    empty = BackupPage(data=(), data_missing=True)

    async def serve(*passes: BackupPage) -> list[Backup]:
        script = iter(passes)

        async def fetch(_: str | None) -> BackupPage:
            return next(script)

        return await prove_complete(fetch, len(passes))

    with pytest.raises(IncompleteListingError, match="the service sent a page without data"):
        await serve(empty, empty)
    with pytest.raises(IncompleteListingError):
        await serve(empty, page("b"), page("c"))
    with pytest.raises(IncompleteListingError):
        await serve(page(""), empty, page("a"))
    assert await serve(empty, page(""), page("")) == []
    assert len(await serve(page("a"), empty, page("ab"), page("ab"))) == 2
