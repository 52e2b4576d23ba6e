"""BackupsClient: settings, lifetime, and a short method for each endpoint. The layers below do the work."""

from __future__ import annotations

import datetime as dt
import ssl
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self

from . import _arguments as checked  # pyright: ignore[reportPrivateUsage]
from . import _calls as calls
from . import _endpoints as api
from ._calls import Timeout, Timeouts
from ._errors import NotFoundError
from ._models import Backup, BackupPage, Index, RestoreJob, RestoreReceipt
from ._pager import BackupPager, Fetch, RestoreJobPager, prove_complete
from ._protocol import API_VERSIONS, TELLING, Protocol
from ._retry import Retrier
from ._transport import TRANSPORT, SessionManager
from ._wall import walled_methods

if TYPE_CHECKING:
    import aiohttp


@walled_methods
class BackupsClient:
    """A client for the backups of a Pinecone project: list, take, restore and delete them.

    - `api_key`: the key; None: the environment's PINECONE_API_KEY.
    - `base_url`: the address of the API; None: PINECONE_CONTROLLER_HOST, or `https://api.pinecone.io`.
    - `timeout`: seconds for one call with all its attempts and waits; for a listing, for each page.
    - `attempt_timeout`: seconds for one attempt; of a POST only for connecting.
    - `retry`: how often a request is sent again.
    - `additional_headers`: sent with every request; None: PINECONE_ADDITIONAL_HEADERS, a JSON object.
    - `proxy`: the URL of an HTTP proxy. The environment's proxies are not used.
    - `ssl_context`: TLS settings in place of the system's.
    - `connector`: an aiohttp connector to share; the client never closes it.
    - `api_version`: `2026-04`, `2025-10` or `2026-07`.

    A client can be made before an event loop runs: the first request opens the connections. Use it with `async with`,
    or `await close()`. It serves one event loop at a time, and any number of tasks. Raises ConfigurationError.
    """

    # Slots: tracemalloc loses where an object with a __dict__ was made, and a forgotten close names that line.
    __slots__ = ("__weakref__", "_base_url", "_calls", "_header_names", "_session")

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float = 60.0,
        attempt_timeout: float = 10.0,
        retry: checked.RetryPolicy | None = None,
        additional_headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        connector: aiohttp.BaseConnector | None = None,
        api_version: Literal["2026-04", "2025-10", "2026-07"] = "2026-04",
    ) -> None:
        seconds, attempt = checked.seconds("timeout", timeout), checked.seconds("attempt_timeout", attempt_timeout)
        version = checked.choice("api_version", api_version, API_VERSIONS)
        self._base_url = checked.base_url(base_url)
        key = checked.api_key(api_key)
        additional = checked.headers(additional_headers)
        self._header_names = sorted(additional)
        context = checked.ssl_context(ssl_context, connector)
        proxy_url = checked.proxy(proxy, self._base_url)
        self._session = SessionManager(self._base_url, key, proxy_url, context, connector)
        secrets = [key, *(value for value in additional.values() if len(value) >= TELLING)]
        source = "PINECONE_API_KEY" if api_key is None else "the argument api_key"
        protocol = Protocol(self._base_url, Protocol.headers_of(TRANSPORT, additional, version), secrets, source)
        retrier = Retrier(checked.policy(retry), self._session.sleep_unless_closed)
        self._calls = calls.Calls(protocol, self._session, retrier, seconds, attempt)

    # Listing.

    def list_backups(
        self,
        *,
        index_name: str | None = None,
        include_deleted: bool = False,
        limit: int | None = None,
        pagination_token: str | None = None,
        max_items: int | None = None,
        timeout: Timeout = None,
        attempt_timeout: Timeout = None,
    ) -> BackupPager:
        """Return the listing of all backups, of the project or of one index, for `async for`; nothing is sent yet.

        - `index_name`: only backups of the index that has this name now. If there is none, iterating raises
          NotFoundError.
        - `include_deleted`: also backups of deleted indexes that had this name.
        - `limit`: how many backups a page has, 1 to 100. None asks for 100, which needs the fewest requests. A
          `pagination_token` carries its own page size, so with one `limit` has no effect.
        - `pagination_token`: resume at the page of this token.
        - `max_items`: end after so many backups. No page is asked to be larger.
        - `timeout`, `attempt_timeout`: seconds for each page. For a whole listing use `asyncio.timeout`.

        Mirrors ``list_project_backups`` and `list_index_backups`. Iterating raises what `fetch_page` does, and
        PaginationLoopError.
        """
        size = checked.page_size(limit, max_items)
        fetch = self._pages(size, index_name, include_deleted, (timeout, attempt_timeout))
        return BackupPager(fetch, checked.token(pagination_token), max_items)

    async def fetch_page(
        self,
        *,
        index_name: str | None = None,
        include_deleted: bool = False,
        limit: int | None = None,
        pagination_token: str | None = None,
        timeout: Timeout = None,
        attempt_timeout: Timeout = None,
    ) -> BackupPage:
        """Return exactly one page, with the token of the next one; for handlers that page for their own callers.

        The arguments are those of `list_backups`. Raises ConfigurationError, ClientClosedError, TransportError (no
        complete response), ApiError (the service answered with an error), ResponseParsingError (an invalid response).
        """
        fetch = self._pages(checked.page_size(limit), index_name, include_deleted, (timeout, attempt_timeout))
        return await fetch(checked.token(pagination_token))

    async def inventory(
        self,
        *,
        index_name: str | None = None,
        include_deleted: bool = False,
        max_passes: int = 5,
        limit: int | None = None,
        timeout: Timeout = None,
        attempt_timeout: Timeout = None,
    ) -> list[Backup]:
        """Return all backups, proven complete even while backups are created and deleted; each one once.

        The listing is read until two passes in a row prove that nothing was missed: at least twice, at most
        `max_passes` times. The result has every backup that existed throughout. The other arguments are those of
        `list_backups`. Raises IncompleteListingError if the proof fails, and what `fetch_page` does.
        """
        checked.count("max_passes", max_passes, least=2)
        fetch = self._pages(checked.page_size(limit), index_name, include_deleted, (timeout, attempt_timeout))
        return await prove_complete(fetch, max_passes)

    async def list_indexes(self, *, timeout: Timeout = None, attempt_timeout: Timeout = None) -> list[Index]:
        """Return the indexes of the project. Mirrors ``list_indexes``; raises what `fetch_page` does."""
        return await self._calls.call(api.LIST_INDEXES, (timeout, attempt_timeout))

    # One backup.

    async def describe_backup(
        self, backup_id: str, *, timeout: Timeout = None, attempt_timeout: Timeout = None
    ) -> Backup:
        """Return one backup. Mirrors ``describe_backup``.

        Raises what `fetch_page` does, and NotFoundError if no backup has this id.
        """
        return await self._calls.call(api.DESCRIBE_BACKUP, (timeout, attempt_timeout), backup_id=backup_id)

    async def create_backup(
        self,
        index_name: str,
        *,
        name: str | None = None,
        description: str | None = None,
        timeout: Timeout = None,
        attempt_timeout: Timeout = None,
    ) -> Backup:
        """Start a backup of an index, and return it as the service describes it: usually not Ready yet.

        The request is never sent again once it may have taken effect: then the error's `outcome_unknown` is True, and
        the backup may exist. `ensure_backup` looks for it. Bound the call with `timeout=` rather than from outside: a
        cancelled call cannot report its outcome. Mirrors ``create_backup``; raises what `describe_backup` does,
        PaymentRequiredError and ForbiddenError if the plan or a quota does not allow a backup.
        """
        body = {"name": checked.text("name", name), "description": checked.text("description", description)}
        return await self._calls.call(api.CREATE_BACKUP, (timeout, attempt_timeout), body, index_name=index_name)

    async def ensure_backup(
        self,
        index_name: str,
        name: str,
        *,
        description: str | None = None,
        timeout: Timeout = None,
        attempt_timeout: Timeout = None,
    ) -> Backup:
        """Return the index's backup of this name, and start one only if there is none: safe to call again.

        1. The newest backup of this name that is Ready or will be is the result. Failed ones, and those of deleted
           indexes, do not count.
        2. Otherwise one backup is started.
        3. Where the outcome of that is unknown, the index's backups are read again after 1, 2, 4 and 8 seconds. What
           is found is the result; otherwise the error of the create is raised.

        The timeouts bound each request; step 3 waits for up to 15 s more. Two processes in the same instant can still
        start two backups, and so can a listing that hides one. Raises what `create_backup` and `list_backups` do.
        """
        if not checked.text("name", name):
            raise checked.refused("name", "must not be empty")
        body = {"name": name, "description": checked.text("description", description)}
        pager = self.list_backups(index_name=index_name, timeout=timeout, attempt_timeout=attempt_timeout)

        async def find() -> Backup | None:
            return calls.newest_named(await pager.to_list(), name)

        existing = await find()
        if existing is not None:
            return existing
        deadline = self._calls.retrier.deadline(2 * self._calls.seconds(timeout) + sum(calls.LOOKS_AFTER_CREATE))
        write = self._calls.call(api.CREATE_BACKUP, (timeout, attempt_timeout), body, index_name=index_name)
        return await calls.written_or_found(write, find, calls.LOOKS_AFTER_CREATE, deadline)

    async def delete_backup(
        self, backup_id: str, *, missing_ok: bool = False, timeout: Timeout = None, attempt_timeout: Timeout = None
    ) -> None:
        """Delete one backup. It may still be listed for a while: see `wait_until_deleted`.

        Where an attempt may have deleted it and the next finds nothing, the call has succeeded. With `missing_ok` a
        missing backup is no error. Mirrors ``delete_backup``; raises what `describe_backup` does, and
        FailedPreconditionError while restore jobs use the backup.
        """
        checked.choice("missing_ok", missing_ok, (True, False))
        try:
            await self._calls.call(api.DELETE_BACKUP, (timeout, attempt_timeout), backup_id=backup_id)
        except NotFoundError as error:
            if not missing_ok and not error.outcome_unknown:
                raise

    # Restoring.

    async def create_index_from_backup(
        self,
        backup_id: str,
        *,
        name: str,
        tags: Mapping[str, str] | None = None,
        deletion_protection: Literal["enabled", "disabled"] | None = None,
        timeout: Timeout = None,
        attempt_timeout: Timeout = None,
    ) -> RestoreReceipt:
        """Start restoring a backup into a new index, and return the ids of the restore job and of the index.

        - `name`: of the new index: 1 to 45 of a-z, 0-9 and -, beginning and ending with a letter or digit.
        - `tags`: a mapping of str to str for the new index.
        - `deletion_protection`: `enabled` or `disabled`.

        The request is never sent again once it may have taken effect. Where its outcome is unknown, the restore jobs
        are read after 0, 1, 2, 4 and 8 seconds, within `timeout`, for a job that this call started. Its ids are the
        result; otherwise the error is raised. Mirrors ``create_index_from_backup``; raises what `create_backup` does,
        ConflictError if the name is taken, FailedPreconditionError if the backup is not Ready.
        """
        protection = checked.choice("deletion_protection", deletion_protection, ("enabled", "disabled", None))
        tags = None if tags is None else checked.texts("tags", tags)
        body = {"name": checked.new_index_name(name), "tags": tags, "deletion_protection": protection}
        begin, deadline = dt.datetime.now(dt.UTC), self._calls.retrier.deadline(self._calls.seconds(timeout))

        async def find() -> RestoreReceipt | None:
            jobs = self.list_restore_jobs(timeout=max(0.001, deadline.left()), attempt_timeout=attempt_timeout)
            return calls.receipt_of(await jobs.to_list(), backup_id, name, begin)

        write = self._calls.call(api.CREATE_INDEX_FROM_BACKUP, (timeout, attempt_timeout), body, backup_id=backup_id)
        return await calls.written_or_found(write, find, calls.LOOKS_AFTER_RESTORE, deadline)

    def list_restore_jobs(
        self,
        *,
        limit: int | None = None,
        pagination_token: str | None = None,
        max_items: int | None = None,
        timeout: Timeout = None,
        attempt_timeout: Timeout = None,
    ) -> RestoreJobPager:
        """Return the listing of all restore jobs of the project, for `async for`; nothing is sent yet.

        A job that is not listed may still exist: the service may leave jobs out and end the listing early. The
        arguments are those of `list_backups`. Mirrors ``list_restore_jobs``.
        """
        query = {"limit": checked.page_size(limit, max_items)}
        fetch = self._calls.fetcher(api.LIST_RESTORE_JOBS, (timeout, attempt_timeout), query)
        return RestoreJobPager(fetch, checked.token(pagination_token), max_items)

    async def describe_restore_job(
        self, restore_job_id: str, *, timeout: Timeout = None, attempt_timeout: Timeout = None
    ) -> RestoreJob:
        """Return one restore job. Mirrors ``describe_restore_job``; raises what `describe_backup` does.

        A NotFoundError is no proof that the job does not exist: the service answers 404 to other failures too.
        """
        timeouts = timeout, attempt_timeout
        return await self._calls.call(api.DESCRIBE_RESTORE_JOB, timeouts, restore_job_id=restore_job_id)

    async def wait_until_ready(self, backup: Backup | str, *, timeout: float = 21_600.0) -> Backup:
        """Return a backup as soon as it is Ready. `backup` is a Backup or its id, `timeout` in seconds.

        Transient errors do not end the wait. A 404 is accepted for 60 s, unless the backup was seen in this wait.
        Raises WaitFailedError if the backup has failed, WaitTimeoutError (both have `last`), and what
        `describe_backup` does.
        """
        return await self._wait_for_backup(backup, timeout).until("reached")

    async def wait_until_restored(
        self, restore: RestoreReceipt | RestoreJob | str, *, timeout: float = 21_600.0
    ) -> RestoreJob:
        """Return a restore job as soon as it is Completed. `restore` is a RestoreReceipt, a RestoreJob or its id.

        Works like `wait_until_ready`, but a 404 is accepted for 120 s.
        """
        job_id = checked.segment("restore", getattr(restore, "restore_job_id", restore))
        wait = self._calls.wait(api.DESCRIBE_RESTORE_JOB, "the restore job", timeout, restore_job_id=job_id)
        return await wait.until("reached")

    async def wait_until_deleted(self, backup: Backup | str, *, timeout: float = 300.0) -> None:
        """Return as soon as the service does not find a backup (any more). `backup` is a Backup or its id.

        Raises WaitTimeoutError, and what `describe_backup` does.
        """
        with suppress(NotFoundError):
            await self._wait_for_backup(backup, timeout).until("missing")

    def _wait_for_backup(self, backup: Backup | str, timeout: float) -> calls.Wait[Backup]:
        backup_id = checked.segment("backup", backup.backup_id if isinstance(backup, Backup) else backup)
        return self._calls.wait(api.DESCRIBE_BACKUP, "the backup", timeout, backup_id=backup_id)

    def _pages(self, size: int, index_name: str | None, deleted: object, timeouts: Timeouts) -> Fetch[BackupPage]:
        checked.choice("include_deleted", deleted, (True, False))
        query = {"limit": size, "include_deleted": "true" if deleted else None}
        if index_name is not None:
            return self._calls.fetcher(api.LIST_INDEX_BACKUPS, timeouts, query, index_name=index_name)
        if deleted:
            raise checked.refused("include_deleted", "needs an index_name, as the project's listing has them anyway")
        return self._calls.fetcher(api.LIST_PROJECT_BACKUPS, timeouts, query)

    # Lifetime.

    async def close(self) -> None:
        """Close the connections; calls under way end with ClientClosedError. Closing twice is fine."""
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_session"):  # a traceback with locals asks for this while __init__ raises
            return "<BackupsClient, not configured>"
        state = ", closed" if self._session.closed else ""
        return f"<BackupsClient {self._base_url}, additional headers: {self._header_names}{state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a BackupsClient cannot be pickled or copied: make one where it is needed")

    def __del__(self, _warn: Any = warnings.warn) -> None:
        if hasattr(self, "_session") and self._session.abandon():
            _warn(f"unclosed {self!r}: use `async with`, or await close()", ResourceWarning, source=self)
