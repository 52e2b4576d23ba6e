"""HTTP without I/O: calls to requests, responses to values or errors.

Knows no endpoint, no socket and no clock of its own, and never repeats a request.
What the service sent decides what is raised; only what is *shown* of it (message, details, excerpt, paths, request id)
is masked and bounded, by `SafeText`.
"""

import datetime as dt
import json
import platform
import re
from collections.abc import Callable, Collection, Mapping
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast
from urllib.parse import quote

import attrs

from . import _errors as errors  # pyright: ignore[reportPrivateUsage]
from ._decode import MAX_BODY, MAX_ERROR_BODY, decode_json
from ._errors import ApiError, ResponseParsingError, ResponseTooLargeError
from ._models import BackupPage, RestoreJobPage
from ._plain import NOTHING_ELSE
from ._safe_text import SafeText
from ._statuses import ErrorCode
from ._version import __version__

API_VERSIONS: Final = ("2026-04", "2025-10", "2026-07")
_HTTP_DATE: Final = re.compile(
    r"[A-Z][a-z]+, \d\d[ -][A-Z][a-z]{2}[ -]\d{2,4} [\d:]{8} (GMT|[+-]\d{4})"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}"
)
_SECONDS: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
_BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    400: errors.InvalidRequestError,
    401: errors.UnauthorizedError,
    402: errors.PaymentRequiredError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    412: errors.FailedPreconditionError,
    422: errors.InvalidRequestError,
    429: errors.RateLimitError,
}
_NOW: Final = partial(dt.datetime.now, dt.UTC)
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


@attrs.frozen
class Endpoint(Generic[_T_co]):
    """Everything in which one endpoint differs from another."""

    #: The operation, as the specification calls it; for log records.
    name: str
    method: str
    #: The path below the base URL; each `{parameter}` is one percent-encoded segment.
    path: str
    decode: Callable[[bytes], _T_co]
    #: The statuses that mean success.
    success: Collection[int] = frozenset({200})
    #: Whether it may be sent again whatever became of it.
    repeatable: bool = attrs.field(default=True, kw_only=True)

    @property
    def writes(self) -> bool:
        """Return whether a call may change something."""
        return self.method != "GET"


@attrs.frozen
class Request:
    """One request, ready to be sent but for the key. Its URL is encoded already."""

    method: str
    url: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes | None = attrs.field(default=None, repr=False)


class Response(NamedTuple):
    """What the service sent. Header names are found in any case. A body over the limit is not read: `too_large`."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    too_large: bool = False

    def __repr__(self) -> str:
        return f"<Response {self.status}>"


@attrs.define(eq=False, repr=False)
class Protocol:
    """Requests and responses of one base URL.

    Errors show none of the secrets; one about a refused key says where that came from. `now` is asked only if a
    response has no Date of its own.
    """

    base_url: str
    _headers: Mapping[str, str]
    _safe: SafeText = attrs.field(converter=SafeText)
    _key_source: str | None = None
    _now: Callable[[], dt.datetime] = _NOW

    @staticmethod
    def headers_of(transport: str, additional: Mapping[str, str], api_version: str) -> dict[str, str]:
        """Return the headers of every request; an additional header replaces a default one of the same name."""
        defaults = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": f"pinecone-backups-async/{__version__} Python/{platform.python_version()} {transport}",
            "X-Pinecone-Api-Version": api_version,
        }
        replaced = {name.lower() for name in additional}
        return {name: value for name, value in defaults.items() if name.lower() not in replaced} | dict(additional)

    def request(
        self,
        endpoint: Endpoint[object],
        path: Mapping[str, str] = NOTHING_ELSE,
        query: Mapping[str, object] = NOTHING_ELSE,
        body: Mapping[str, object] = NOTHING_ELSE,
    ) -> Request:
        """Return the request of a call. Whatever is None in `query` or `body` is left out. Only a POST has a body."""
        url = self.base_url + endpoint.path.format_map({name: quote(part, safe="") for name, part in path.items()})
        pairs = [f"{name}={quote(str(value), safe='')}" for name, value in query.items() if value is not None]
        if pairs:
            url += "?" + "&".join(pairs)
        if endpoint.method != "POST":
            return Request(endpoint.method, url, self._headers)
        payload = json.dumps({name: value for name, value in body.items() if value is not None}).encode()
        return Request(endpoint.method, url, {**self._headers, "Content-Type": "application/json"}, payload)

    def read(self, endpoint: Endpoint[_T], response: Response) -> _T:
        """Return the value in a response, or raise the error that it is."""
        if response.too_large:
            message = f"the response exceeds {MAX_BODY // 2**20} MiB"
            raise ResponseTooLargeError(message, request_id=self.request_id(response))
        if response.status not in endpoint.success:
            raise self._api_error(response, _object_in(response.body))
        try:
            value = endpoint.decode(response.body)
        except ResponseParsingError as error:
            # An error object under a status that means success is what the service says, not a garbled page.
            fields = _object_in(response.body) if error.decoded else {}
            if isinstance(fields.get("error"), dict) and fields["error"]:
                raise self._api_error(response, fields) from None
            self._complete(error, response)
            raise
        if isinstance(value, BackupPage | RestoreJobPage):
            return cast("_T", attrs.evolve(value, request_id=self.request_id(response)))
        return value

    def request_id(self, response: Response) -> str | None:
        """Return the service's id of the request, safe to show; None if it is absent or empty."""
        headers = response.headers
        return self._safe.text(headers.get("x-pinecone-request-id") or headers.get("x-request-id") or "") or None

    def _api_error(self, response: Response, fields: Mapping[str, Any]) -> ApiError:
        error = fields.get("error")
        facts = cast("dict[str, Any]", error) if isinstance(error, dict) else {}
        # Gateways in front of the service write a `message` or `detail` at the top level.
        texts = [facts.get("message"), fields.get("message"), fields.get("detail"), "" if facts else _text(response)]
        code = facts.get("code") if isinstance(facts.get("code"), str) else None
        if code is not None and code not in set(ErrorCode):  # a known code is no secret, whatever the key is
            code = self._safe.text(code)
        failure = _error_class(response.status, code)(
            self._safe.text(next(text for text in texts if isinstance(text, str)))
            or "the response had no error message",
            status=response.status,
            code=code,
            details=self._safe.json(facts.get("details")),
            retry_after=_retry_after(response.headers, self._now),
            request_id=self.request_id(response),
        )
        if isinstance(failure, errors.UnauthorizedError):
            failure.key_source = self._key_source
        return failure

    def _complete(self, error: ResponseParsingError, response: Response) -> None:
        """Make what a decoder says safe to show, and add what it does not know."""
        problems = tuple((self._safe.path(path), reason) for path, reason in error.problems)
        message = str(error.args[0])
        for (path, _), (safe, _) in zip(error.problems[:3], problems, strict=False):
            message = message.replace(path, safe)
        error.args, error.problems = (message,), problems
        error.excerpt, error.request_id = self._safe.text(_text(response)), self.request_id(response)


def _text(response: Response) -> str:
    """Return the beginning of a body as text."""
    return response.body[:MAX_ERROR_BODY].decode(errors="replace").strip()


def _object_in(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body; an empty one if there is none, or the body is too large for an error."""
    try:
        value = decode_json(body) if len(body) <= MAX_ERROR_BODY else None
    except ResponseParsingError:
        value = None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _error_class(status: int, code: object) -> type[ApiError]:
    if 300 <= status < 400:
        return errors.UnexpectedRedirectError
    if 500 <= status < 600 or (200 <= status < 300 and code == ErrorCode.UNAVAILABLE):
        return errors.ServiceError
    return _BY_STATUS.get(status, ApiError)


def _retry_after(headers: Mapping[str, str], now: Callable[[], dt.datetime]) -> float | None:
    """Return the Retry-After of a response in seconds; None if it is absent or neither numbers nor an HTTP-date.

    Of a list of numbers the largest counts: coming back late is safe, coming back early is not. A date counts from the
    response's own Date, so that a server whose clock is off is still understood; one in the past is 0.
    """
    text = headers.get("Retry-After", "").strip()
    numbers = [part.strip() for part in text.split(",")]
    if all(_SECONDS.fullmatch(number) for number in numbers):
        return max(map(float, numbers))
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
