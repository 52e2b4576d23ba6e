"""The one place that makes a call: an endpoint and its values become a request, its attempts, and a value or an error.

Knows the table of endpoints only as values that it is given.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from . import _arguments as checked
from ._errors import BackupsError, ResponseParsingError
from ._models import BackupPage, RestoreJobPage
from ._retry import Attempt, Limits, Retrier
from ._wall import walled

if TYPE_CHECKING:
    from ._protocol import Endpoint, Protocol, Request, Response
    from ._transport import SessionManager

_log = logging.getLogger("pinecone_backups_async")
_T = TypeVar("_T")
_Page = TypeVar("_Page", bound=BackupPage | RestoreJobPage)


class Calls:
    """Makes the calls of one client."""

    def __init__(
        self, protocol: Protocol, session: SessionManager, retrier: Retrier, timeout: float, attempt_timeout: float
    ) -> None:
        self.retrier = retrier
        self._protocol = protocol
        self._session = session
        self._defaults = Limits(timeout, attempt_timeout)

    def limits(
        self, timeout: float | None = None, attempt_timeout: float | None = None, *, attempts: int | None = None
    ) -> Limits:
        """Return the limits of a call: the arguments, checked, and the client's own if they are None."""
        return Limits(
            self._defaults.timeout if timeout is None else checked.seconds("timeout", timeout),
            self._defaults.attempt_timeout
            if attempt_timeout is None
            else checked.seconds("attempt_timeout", attempt_timeout),
            attempt_timeout_given=attempt_timeout is not None,
            attempts=attempts,
        )

    async def call(
        self,
        endpoint: Endpoint[_T],
        limits: Limits,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> _T:
        """Return what the service sends in response to one call, or raise the error."""
        request = self._protocol.request(endpoint, path=path, query=query, body=body)

        async def send(attempt: Attempt) -> _T:
            response = await self._observed(request, attempt)
            return self._protocol.read(endpoint, response)

        self._session.check_open()
        return await self.retrier.run(
            send, limits, name=endpoint.name, writes=endpoint.writes, repeatable=endpoint.repeatable
        )

    def fetcher(
        self,
        endpoint: Endpoint[_Page],
        limits: Limits,
        *,
        path: Mapping[str, str] | None = None,
        size: int,
        query: Mapping[str, object] | None = None,
    ) -> Callable[[str | None], Awaitable[_Page]]:
        """Return a function that fetches the page of a token; its errors carry that token, to resume from.

        A token carries its page size, so with one the limit is left out; what is in `query` is sent with every page.
        """

        @walled
        async def fetch(token: str | None) -> _Page:
            pages = {"limit": size} if token is None else {"paginationToken": token}
            try:
                page = await self.call(endpoint, limits, path=path, query={**pages, **(query or {})})
                if token is not None and isinstance(page, BackupPage) and page.data_missing:
                    message = "the response is not a page of backups: $.data: required, but missing"
                    problems = (("$.data", "required, but missing"),)
                    raise ResponseParsingError(message, problems=problems, request_id=page.request_id, attempts=1)
            except BackupsError as error:
                error.pagination_token = token
                raise
            return page

        return fetch

    async def _observed(self, request: Request, attempt: Attempt) -> Response:
        """Send one attempt, and log one DEBUG record about it."""
        start = time.monotonic()
        response: Response | None = None
        failure: BackupsError | None = None
        try:
            response = await self._session.send(request, attempt)
        except BackupsError as error:
            failure = error
            raise
        finally:  # not if the call was cancelled
            if (response or failure) and _log.isEnabledFor(logging.DEBUG):
                self._log(request, response, failure, time.monotonic() - start)
        return response

    def _log(self, request: Request, response: Response | None, failure: BackupsError | None, seconds: float) -> None:
        path = request.url.partition("?")[0].removeprefix(self._protocol.base_url)
        facts = {
            "pinecone_method": request.method,
            "pinecone_path": path,
            "pinecone_status": response and response.status,
            "pinecone_error": failure and type(failure).__name__,
            "pinecone_milliseconds": seconds * 1000,
            "pinecone_bytes": len(response.body) if response else 0,
            "pinecone_request_id": response and self._protocol.request_id(response),
        }
        what = facts["pinecone_status"] or facts["pinecone_error"]
        _log.debug("%s %s: %s in %.0f ms", request.method, path, what, seconds * 1000, extra=facts)
