"""Tokens to pages, pages to items: iterators that end, repeat nothing, keep their position; the inventory's proof.

Knows pages and a function that fetches one by its token; knows no HTTP, no retry, no time.
"""

import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from hashlib import blake2b
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeAlias, TypeVar, cast

import attrs

from ._errors import IncompleteListingError, PaginationLoopError
from ._models import Backup, BackupPage, RestoreJob, RestoreJobPage

MAX_PAGES_WITHOUT_NEW: Final = 10_000
_log = logging.getLogger("pinecone_backups_async")
_ID_OF: Final = {BackupPage: attrgetter("backup_id"), RestoreJobPage: attrgetter("restore_job_id")}
_Page = TypeVar("_Page", bound=BackupPage | RestoreJobPage)
_Item = TypeVar("_Item", bound=Backup | RestoreJob)
Fetch: TypeAlias = Callable[[str | None], Awaitable[_Page]]


class _Pager(Generic[_Page, _Item]):
    """A listing that has not begun. Each iteration starts from the beginning; the pager has no state."""

    def __init__(self, fetch: Fetch[_Page], pagination_token: str | None = None, max_items: int | None = None) -> None:
        self._pages = partial(_Pages[_Page], fetch, pagination_token, max_items)
        self._max_items = max_items

    def __aiter__(self) -> AsyncIterator[_Item]:
        """Start an iteration over the items; it raises what fetching a page does, and PaginationLoopError."""
        return _Items(self._pages(), self._max_items)

    def pages(self) -> AsyncIterator[_Page]:
        """Start an iteration over the pages, with each item in the first page that has it.

        No page is cut: with `max_items` the iteration ends after the page that reaches this number. To resume later
        behind a page, pass its `next_token` as `pagination_token`; it is None only on the last page.
        """
        return self._pages()

    async def to_list(self) -> list[_Item]:
        """Return all items of one iteration, or raise: never a part of them."""
        return [item async for item in self]

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"<{name}: use `async for`, `async for ... in pager.pages()` or `await pager.to_list()`>"

    if not TYPE_CHECKING:  # type checkers refuse both uses by themselves

        def __await__(self) -> NoReturn:
            raise TypeError(f"a {type(self).__name__} is not awaited: use `async for` or `await pager.to_list()`")

        def __iter__(self) -> NoReturn:
            raise TypeError(f"a {type(self).__name__} needs `async for`, or `await pager.to_list()`")


class BackupPager(_Pager[BackupPage, Backup]):
    """A listing of backups: iterate over it for backups, `pages()` for pages, `to_list()` for all at once.

    No request is sent before the iteration. Each iteration starts from the beginning and yields each `backup_id` once.
    It keeps its position: after an error, a timeout or a cancellation, the next `anext` on the same iterator continues
    there. A backup that is deleted during an iteration can hide another one; `BackupsClient.inventory` rules that out.
    """


class RestoreJobPager(_Pager[RestoreJobPage, RestoreJob]):
    """A listing of restore jobs: iterate over it for jobs, `pages()` for pages, `to_list()` for all at once.

    It works like `BackupPager` and yields each `restore_job_id` once. The service may leave jobs out and may end the
    listing early, so a job that is not listed may still exist.
    """


@attrs.define(eq=False, repr=False)
class _Pages(AsyncIterator[_Page]):
    """One iteration over pages: follows the tokens and refuses to go in circles."""

    _fetch: Fetch[_Page]
    _token: str | None = None
    _left: int | None = None
    #: What the pages so far had: the ids, the number of rows, and whether one had no `data`.
    ids: set[str] = attrs.field(factory=set[str])
    rows: int = 0
    data_missing: bool = False
    _tokens_used: set[bytes] = attrs.field(factory=set[bytes])
    _pages: int = 0
    _pages_without_new: int = 0
    _request_id: str | None = None
    _in_use: bool = False
    _exhausted: bool = False

    async def __anext__(self) -> _Page:
        if self._exhausted or self._left == 0:
            raise StopAsyncIteration
        if self._in_use:
            raise RuntimeError("this iterator is already in use by another task; call aiter() again")
        self._check_progress()
        self._in_use = True
        try:
            page = await self._fetch(self._token)
        finally:
            self._in_use = False
        return self._advance(page)

    def _check_progress(self) -> None:
        message = None
        if self._token is not None and _digest(self._token) in self._tokens_used:
            message = "the service sent a pagination token for the second time"
        elif self._pages_without_new >= MAX_PAGES_WITHOUT_NEW:
            message = f"{MAX_PAGES_WITHOUT_NEW:,} pages in a row brought nothing new"
        if message is not None:
            raise PaginationLoopError(message, pagination_token=self._token, request_id=self._request_id)

    def _advance(self, page: _Page) -> _Page:
        if self._token is not None:
            self._tokens_used.add(_digest(self._token))
        self._token, self._request_id = page.next_token, page.request_id
        new = self._new_of(page)
        self.rows += len(page.data)
        self.data_missing |= page.data_missing
        self._pages += 1
        self._pages_without_new = 0 if new else self._pages_without_new + 1
        self._exhausted = page.next_token is None
        if self._left is not None:
            self._left = max(0, self._left - len(new))
        if self._exhausted or self._left == 0:
            why = "exhausted" if self._exhausted else "max_items"
            _log.debug("a listing ended (%s): %d items in %d pages", why, len(self.ids), self._pages)
        return page if len(new) == len(page.data) else attrs.evolve(cast("Any", page), data=new)

    def _new_of(self, page: BackupPage | RestoreJobPage) -> tuple[Any, ...]:
        """Return the items of a page that no page before had, each once."""
        ids, known = list(map(_ID_OF[type(page)], page.data)), len(self.ids)
        if self.ids.isdisjoint(ids):
            self.ids.update(ids)
            if len(self.ids) == known + len(ids):  # as nearly always
                return page.data
            return tuple(dict(zip(ids, page.data, strict=True)).values())
        new = {item_id: item for item_id, item in zip(ids, page.data, strict=True) if item_id not in self.ids}
        self.ids.update(new)
        return tuple(new.values())


class _Items(AsyncIterator[_Item]):
    """One iteration over the items of pages, cut exactly at `max_items`."""

    def __init__(self, pages: _Pages[Any], max_items: int | None) -> None:
        self._pages = pages
        self._left = max_items
        self._ready: deque[_Item] = deque()

    async def __anext__(self) -> _Item:
        while not self._ready:
            self._ready.extend((await anext(self._pages)).data)
        if self._left is not None:
            if self._left == 0:
                raise StopAsyncIteration
            self._left -= 1
        return self._ready.popleft()


def _digest(token: str) -> bytes:
    return blake2b(token.encode(), digest_size=16).digest()


def is_proven(previous: _Pages[Any], current: _Pages[Any]) -> bool:
    """Return whether two passes in a row prove that the current one is complete.

    A pass A is exact, the very set that existed at its last request, when no id came twice in its rows and the next
    pass B still has every id of A. At A's last request its position equals the number of rows that it returned. These
    are distinct, all of them still exist, and none stands at or behind the position, or the last page would have
    returned it again. So they fill every place before the position, and nothing can hide there. B is a superset of A,
    and fresher. Two equal passes would prove nothing. A page without `data` shows nothing, so it takes no part.
    """
    if previous.rows != len(previous.ids) or previous.data_missing or current.data_missing:
        return False
    return previous.ids <= current.ids


async def prove_complete(fetch: Fetch[BackupPage], max_passes: int) -> list[Backup]:
    """Return every backup of the listing, or raise IncompleteListingError if no two passes in a row prove that."""
    seen: dict[str, Backup] = {}  # of an earlier pass only the ids are kept beside it
    previous: _Pages[BackupPage] | None = None
    data_missing = False
    for _ in range(max_passes):
        current, found = _Pages(fetch), list[Backup]()
        async for page in current:
            found += page.data
            seen.update((backup.backup_id, backup) for backup in page.data)
        if previous is not None and is_proven(previous, current):
            return found
        data_missing |= current.data_missing
        previous = current
    why = "the service sent a page without data" if data_missing else "it changed, or repeated itself,"
    message = f"the listing could not be proven complete: {why} in {max_passes} passes"
    raise IncompleteListingError(message, backups=seen.values(), passes=max_passes)
