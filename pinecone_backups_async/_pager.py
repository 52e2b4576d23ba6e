"""Tokens to pages, pages to items: iterators that end, repeat nothing, keep their position; the inventory's proof.

Knows pages and a function that fetches one by its token; knows no HTTP, no retry, no time.
"""

import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
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


@attrs.define(eq=False, repr=False)
class _Pager(Generic[_Page, _Item]):
    """A listing that has not begun. Each iteration starts from the beginning; the pager has no state."""

    _fetch: Fetch[_Page]
    _pagination_token: str | None = None
    _max_items: int | None = None

    def __aiter__(self) -> AsyncIterator[_Item]:
        """Start an iteration over the items; it raises what fetching a page does, and PaginationLoopError."""
        return _Items(self.pages(), self._max_items)

    def pages(self) -> AsyncIterator[_Page]:
        """Start an iteration over the pages, with each item in the first page that has it.

        No page is cut: with `max_items` the iteration ends after the page that reaches this number. To resume later
        behind a page, pass its `next_token` as `pagination_token`; it is None only on the last page.
        """
        return _Pages(self._fetch, self._pagination_token, self._max_items)

    async def to_list(self) -> list[_Item]:
        """Return all items of one iteration, or raise: never a part of them."""
        return [item async for item in self]

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"<{name}: use `async for`, `async for ... in pager.pages()` or `await pager.to_list()`>"

    if not TYPE_CHECKING:  # type checkers refuse both uses by themselves

        def __await__(self) -> NoReturn:
            raise TypeError(f"neither `await` nor `for` works with a pager: {self!r}")

        __iter__ = __await__


class BackupPager(_Pager[BackupPage, Backup]):
    """A listing of backups: iterate over it for each `Backup`, over `pages()` for each `BackupPage`; or `to_list()`.

    No request is sent before the iteration. Each iteration starts from the beginning and yields each `backup_id` once.
    It keeps its position: after an error, a timeout or a cancellation, the next `anext` on the same iterator continues
    there. A backup that is deleted during an iteration can hide another one; `BackupsClient.inventory` rules that out.
    """


class RestoreJobPager(_Pager[RestoreJobPage, RestoreJob]):
    """A listing of restore jobs, each a `RestoreJob`; `pages()` has each `RestoreJobPage`, `to_list()` all jobs.

    It works like `BackupPager` and yields each `restore_job_id` once. The service may leave jobs out and may end the
    listing early, so a job that is not listed may still exist.
    """


@attrs.define(eq=False, repr=False)
class _Pages(AsyncIterator[_Page]):
    """One iteration over pages: follows the tokens, and stops if one comes a second time."""

    _fetch: Fetch[_Page]
    _token: str | None = None
    _max_items: int | None = None
    #: What the pages so far had: the ids, the number of rows, and whether one had no `data`.
    ids: set[str] = attrs.field(factory=set[str])
    rows: int = 0
    data_missing: bool = False
    _tokens_used: set[int] = attrs.field(factory=set[int])
    _pages_without_new: int = 0
    _request_id: str | None = None
    _in_use: bool = False
    _ended: bool = False
    _loop: str | None = None

    async def __anext__(self) -> _Page:
        if self._ended or self._max_items == 0:
            raise StopAsyncIteration
        if self._in_use:
            raise RuntimeError("this iterator is already in use by another task; call aiter() again")
        if self._loop is not None:
            raise PaginationLoopError(self._loop, pagination_token=self._token, request_id=self._request_id)
        self._in_use = True
        try:
            return self._advance(await self._fetch(self._token))
        finally:
            self._in_use = False

    def _advance(self, page: _Page) -> _Page:
        """Keep what the next step needs to know; return the page without the items that came before."""
        new: tuple[Any, ...] = page.data
        ids, before = list(map(_ID_OF[type(page)], new)), len(self.ids)
        known = self.ids.intersection(ids)
        self.ids.update(ids)
        if len(self.ids) < before + len(ids):  # some came before, or twice in this page, which is rare
            new = tuple({key: item for key, item in zip(ids, new, strict=True) if key not in known}.values())
        self.rows += len(page.data)
        self.data_missing |= page.data_missing
        self._pages_without_new = 0 if new else self._pages_without_new + 1
        # Hashes are enough: a false alarm among a million tokens has a chance of 1 to 37 million.
        self._tokens_used.add(hash(self._token))
        self._token, self._request_id = page.next_token, page.request_id
        if hash(self._token) in self._tokens_used:
            self._loop = "the service sent a pagination token for the second time"
        elif self._pages_without_new == MAX_PAGES_WITHOUT_NEW:
            self._loop = f"{MAX_PAGES_WITHOUT_NEW:,} pages in a row brought nothing new"
        self._ended = page.next_token is None or (self._max_items is not None and len(self.ids) >= self._max_items)
        if self._ended:
            why = "exhausted" if page.next_token is None else "max_items"
            _log.debug("a listing ended (%s): %d items in %d pages", why, len(self.ids), len(self._tokens_used))
        return page if new is page.data else attrs.evolve(cast("Any", page), data=new)


class _Items(AsyncIterator[_Item]):
    """One iteration over the items of pages, cut exactly at `max_items`."""

    def __init__(self, pages: AsyncIterator[Any], max_items: int | None) -> None:
        self._pages = pages
        self._left = max_items
        self._ready = deque[_Item]()

    async def __anext__(self) -> _Item:
        while not self._ready:
            items = (await anext(self._pages)).data[: self._left]
            if self._left is not None:
                self._left -= len(items)
            self._ready.extend(items)
        return self._ready.popleft()


async def prove_complete(fetch: Fetch[BackupPage], max_passes: int) -> list[Backup]:
    """Return every backup of the listing, or raise IncompleteListingError if no two passes in a row prove that.

    A pass A is exact, the very set that existed at its last request, when no id came twice in its rows and the next
    pass B still has every id of A. At A's last request its position equals the number of rows that it returned. These
    are distinct, all of them still exist, and none stands at or behind the position, or the last page would have
    returned it again. So they fill every place before the position, and nothing can hide there. B is a superset of A,
    and fresher. Two equal passes would prove nothing. A page without `data` shows nothing, so it takes no part.
    """
    # The backups of the pass before, overwritten by those of the current one; and those that a later pass did not have.
    latest, gone = dict[str, Backup](), dict[str, Backup]()
    is_candidate = data_missing = False
    for _ in range(max_passes):
        current, found = _Pages(fetch), list[Backup]()
        async for page in current:
            found += page.data
            latest.update((backup.backup_id, backup) for backup in page.data)
        if is_candidate and not current.data_missing and len(latest) == len(current.ids):
            return found
        for missed in latest.keys() - current.ids:
            gone[missed] = latest.pop(missed)
        is_candidate = not current.data_missing and current.rows == len(current.ids)
        data_missing |= current.data_missing
    why = "the service sent a page without data" if data_missing else "it changed, or repeated itself,"
    message = f"the listing could not be proven complete: {why} in {max_passes} passes"
    raise IncompleteListingError(message, backups=(gone | latest).values(), passes=max_passes)
