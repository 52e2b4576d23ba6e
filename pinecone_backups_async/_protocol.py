"""The HTTP contract of GET /backups, API 2026-04, without I/O: requests out of tokens, pages or errors out of answers.

Knows URLs, statuses and headers; knows no socket, no clock but the one it is given, and never repeats a request.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
import re
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any, Final, cast
from urllib.parse import quote

import attrs

from ._decode import decode_json, decode_page
from ._errors import (
    ApiError,
    BackupsError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    RateLimitError,
    ResponseParsingError,
    ResponseTooLargeError,
    ServiceError,
    UnauthorizedError,
    UnexpectedRedirectError,
)
from ._models import BackupPage, ErrorCode
from ._settings import Secret
from ._version import __version__

__all__ = ["API_VERSION", "BackupsProtocol", "Request", "user_agent"]

API_VERSION: Final = "2026-04"
MAX_TEXT: Final = 500
_MOST_SEARCHED: Final = 65_536
_DEEPEST_DETAILS: Final = 20
_MOST_DETAILS: Final = 1_000
_LEAST_TELLING: Final = 7  # so few characters of a key tell nothing, and words may begin alike
_HTTP_DATE: Final = re.compile(
    r"[A-Z][a-z]+, \d\d[ -][A-Z][a-z]{2}[ -]\d{2,4} [\d:]{8} (GMT|[+-]\d{4})"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}"
)
_BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    400: InvalidRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    422: InvalidRequestError,
    429: RateLimitError,
}


def user_agent(transport: str) -> str:
    """Return the User-Agent: package, version, Python, and the transport that sends it."""
    return f"pinecone-backups-async/{__version__} Python/{platform.python_version()} {transport}"


def _wall_clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@attrs.frozen
class Request:
    """One GET, ready to be sent but for the key: its URL is encoded already."""

    url: str
    headers: Mapping[str, str] = attrs.field(repr=lambda headers: repr(list(headers)))
    pagination_token: str | None = attrs.field(default=None, repr=False)


class BackupsProtocol:
    """Speak GET /backups at one base URL; `now` is asked only where an answer has no Date of its own."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: Secret[str],
        headers: Mapping[str, str],
        now: Callable[[], dt.datetime] = _wall_clock,
    ) -> None:
        self.base_url = base_url
        self.api_key = api_key
        self.headers = headers
        self.now = now

    @classmethod
    def at(cls, base_url: str, api_key: Secret[str], transport: str, additional: Mapping[str, str]) -> BackupsProtocol:
        """Return the protocol with its headers; an additional header replaces a default one of the same name."""
        defaults = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": user_agent(transport),
            "X-Pinecone-Api-Version": API_VERSION,
        }
        replaced = {name.lower() for name in additional}
        kept = {name: value for name, value in defaults.items() if name.lower() not in replaced}
        return cls(base_url=base_url, api_key=api_key, headers={**kept, **additional})

    def request(self, *, limit: int | None = None, pagination_token: str | None = None) -> Request:
        """Return the request for a page. A token carries its page size, so with one the limit is left out."""
        if pagination_token is not None:
            query = f"?paginationToken={quote(pagination_token, safe='')}"
        else:
            query = "" if limit is None else f"?limit={limit}"
        return Request(f"{self.base_url}/backups{query}", self.headers, pagination_token)

    def read(
        self,
        request: Request,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        too_large: bool = False,  # noqa: FBT001, FBT002 - an answer is handed on as it is
    ) -> BackupPage:
        """Return the page that an answer holds, or raise what it is instead. Header names must be found in any case.

        `too_large` says that the body of a page was not read, for its size.
        """
        outcome = self._page_or_error(request, status, headers, None if too_large else body)
        # The body may echo the key, so no frame of an error's traceback keeps it.
        del headers, body
        if isinstance(outcome, BackupsError):
            raise outcome
        return outcome

    def _page_or_error(
        self, request: Request, status: int, headers: Mapping[str, str], body: bytes | None
    ) -> BackupPage | BackupsError:
        request_id = headers.get("x-pinecone-request-id") or headers.get("x-request-id")
        request_id = None if request_id is None else self._shown(request_id)
        if body is None:
            return ResponseTooLargeError("the answer exceeds 8 MiB", request_id=request_id)
        if status != 200:
            return self._api_error(status, headers, body, request_id)
        try:
            page = decode_page(body)
            if request.pagination_token is not None and not page.data and "data" not in decode_json(body):
                raise ResponseParsingError("the answer is not a page of backups: $.data: required, but missing")
        except ResponseTooLargeError as error:
            return ResponseTooLargeError(str(error), request_id=request_id)
        except ResponseParsingError as error:
            if error.decoded and _error_object(body):
                return self._api_error(status, headers, body, request_id)
            return self._parsing_error(error, body, request_id)
        return BackupPage(data=page.data, next_token=page.next_token, request_id=request_id)

    def _api_error(self, status: int, headers: Mapping[str, str], body: bytes, request_id: str | None) -> ApiError:
        facts = _error_object(body)
        code, message = facts.get("code"), facts.get("message")
        code = self._shown(code) if isinstance(code, str) else None
        if not isinstance(message, str):
            message = "" if facts else body.decode(errors="replace").strip()
        return _error_class(status, code)(
            self._shown(message, cut=len(body) >= _MOST_SEARCHED) or "the answer says no more",
            status=status,
            code=code,
            details=self._redacted(facts.get("details"), iter(range(_MOST_DETAILS))),
            retry_after=_retry_after(headers, self.now),
            request_id=request_id,
        )

    def _parsing_error(self, error: ResponseParsingError, body: bytes, request_id: str | None) -> ResponseParsingError:
        return ResponseParsingError(
            self._shown(str(error)),
            problems=[(self._shown(path), self._shown(reason)) for path, reason in error.problems],
            excerpt=self._shown(body[:_MOST_SEARCHED].decode(errors="replace"), cut=len(body) > _MOST_SEARCHED),
            decoded=error.decoded,
            request_id=request_id,
        )

    def _shown(self, text: str, *, cut: bool = False) -> str:
        """Return server text as it may be shown: without the key, in one line, short; `cut`: its end is not."""
        key = self.api_key.reveal()
        redacted = text[:_MOST_SEARCHED].replace(key, "***").replace(json.dumps(key)[1:-1], "***")
        if cut or len(text) > _MOST_SEARCHED:
            redacted = redacted[: len(redacted) - self._cut_key(redacted)]
        escaped = (
            c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in redacted[:MAX_TEXT]
        )
        return "".join(escaped)[:MAX_TEXT]

    def _cut_key(self, text: str) -> int:
        """Return how many characters at the end of a text are the beginning of a key that was cut in two."""
        sizes = range(len(self.api_key.reveal()) - 1, _LEAST_TELLING, -1)
        return next((size for size in sizes if text.endswith(self.api_key.reveal()[:size])), 0)

    def _redacted(self, value: Any, budget: Iterator[int], depth: int = 0) -> Any:
        """Return decoded JSON with every text in it as `_shown` has it; what is too deep or too much is left out."""
        if next(budget, None) is None or depth == _DEEPEST_DETAILS:
            return None
        if isinstance(value, dict):
            pairs = islice(cast("dict[str, Any]", value).items(), _MOST_DETAILS)
            return {self._shown(key): self._redacted(item, budget, depth + 1) for key, item in pairs}
        if isinstance(value, list):
            items = islice(cast("list[Any]", value), _MOST_DETAILS)
            return [self._redacted(item, budget, depth + 1) for item in items]
        if value is None or isinstance(value, bool):
            return value
        shown = self._shown(str(value))
        return value if shown == str(value) and not isinstance(value, str) else shown


def _error_object(body: bytes) -> dict[str, Any]:
    """Return the `error` of the specification's ErrorResponse, or {} where the body holds none."""
    try:
        answer = decode_json(body)
    except ResponseParsingError:
        return {}
    error = cast("dict[str, Any]", answer).get("error") if isinstance(answer, dict) else None
    return cast("dict[str, Any]", error) if isinstance(error, dict) else {}


def _error_class(status: int, code: str | None) -> type[ApiError]:
    if 300 <= status < 400:
        return UnexpectedRedirectError
    if 500 <= status < 600 or (status == 200 and code == ErrorCode.UNAVAILABLE):
        return ServiceError
    return _BY_STATUS.get(status, ApiError)


def _retry_after(headers: Mapping[str, str], now: Callable[[], dt.datetime]) -> float | None:
    """Return the Retry-After of an answer in seconds, None where it is absent or neither digits nor an HTTP-date.

    A date counts from the answer's own Date, so that a server whose clock is off is still understood; one in the past
    is 0.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    moment = _http_date(text)
    if moment is None:
        return None
    start = _http_date(headers.get("Date", "")) or now()
    return max(0.0, (moment - start).total_seconds())


def _http_date(text: str) -> dt.datetime | None:
    if not _HTTP_DATE.fullmatch(text):
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
