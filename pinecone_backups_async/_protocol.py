"""HTTP without I/O: calls to requests, responses to values or errors.

Knows no endpoint, no socket and no clock of its own, and never repeats a request.
What the service sent decides what is raised; only what is *shown* of it (message, details, excerpt, paths, request id)
is masked and bounded, by `SafeText`.

Theory of masking. A secret that a text has as it is becomes `***`. Then the escapes are taken off what is left, layer
by layer: percent signs, JSON, HTML, the NULs of UTF-16. If a secret comes to light below one of them, its place in the
text is hard to say, so the whole text becomes `***`. Secrets lose their own escapes too, so that both sides meet.

Only the beginning of a text is shown. It is searched far enough beyond that to find every secret that begins in it.
"""

import datetime as dt
import json
import platform
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar, cast
from urllib.parse import quote

import attrs

from . import _errors as errors  # pyright: ignore[reportPrivateUsage]
from ._decode import MAX_BODY, MAX_ERROR_BODY, decode_json
from ._models import Page
from ._version import __version__

API_VERSIONS: Final = ("2026-04", "2025-10", "2026-07")
MAX_DETAILS: Final = 8 * 2**10  # bytes of an error response whose details are kept
MAX_TEXT: Final = 500
_LAYERS: Final = 4  # of escapes that are taken off
_LONGEST_ESCAPE: Final = 24  # characters that one character of a secret may take, as in %255Cu0070
TELLING: Final = 8  # characters; a shorter secret may be a part of many words, ours among them
_MASKED: Final = "\uffff"  # one for each character of a secret, until the text is cut
_ESCAPE: Final = (  # compiled when the first error comes, as it is of no use before
    r"(?:%|\\u00)(?P<code>[0-9a-fA-F]{2})|&#[xX]0*(?P<html_code>[0-9a-fA-F]{2});?|&#(?P<decimal>[0-9]{2,5});?"
    r"|&(?P<entity>quot|amp|apos|lt|gt);|\\(?P<plain>[^u])|\x00"
)
_ENTITIES: Final = {"quot": '"', "amp": "&", "apos": "'", "lt": "<", "gt": ">"}
_SECONDS: Final = r"[ \t]*[0-9]+(\.[0-9]+)?[ \t]*"
_Texts: TypeAlias = Mapping[str, str]
_Values: TypeAlias = Mapping[str, object]
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Endpoint(NamedTuple, Generic[_T_co]):
    """Everything in which one endpoint differs from another."""

    #: The operation, as the specification calls it; for log records.
    name: str
    method: str
    #: The path below the base URL; each `{parameter}` is one percent-encoded segment.
    path: str
    decode: Callable[[bytes], _T_co]
    #: The statuses that mean success.
    success: Collection[int] = frozenset({200})

    @property
    def repeatable(self) -> bool:
        """Return whether it may be sent again whatever became of it; a second DELETE finds nothing to delete."""
        return self.method in {"GET", "DELETE"}


class Request:
    """One request, ready to be sent but for the key. Its URL is encoded already. Its repr shows nothing of it."""

    def __init__(self, method: str, url: str, headers: _Texts, body: bytes | None = None) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body


class Response:
    """What the service sent. Header names are found in any case. A body over the limit is not read: `too_large`."""

    def __init__(self, status: int, headers: _Texts, body: bytes, *, too_large: bool = False) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.too_large = too_large


class Protocol:
    """Requests and responses of one base URL.

    Errors show none of the secrets; one about a refused key says where that came from.
    """

    def __init__(self, base_url: str, headers: _Texts, secrets: Iterable[str], key_source: str | None = None) -> None:
        self.base_url = base_url
        self._headers = headers
        self._key_source = key_source
        self._safe = SafeText(secrets)

    @staticmethod
    def headers_of(transport: str, additional: _Texts, api_version: str) -> dict[str, str]:
        """Return the headers of every request; an additional header replaces a default one of the same name."""
        defaults = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": f"pinecone-backups-async/{__version__} Python/{platform.python_version()} {transport}",
            "X-Pinecone-Api-Version": api_version,
        }
        replaced = {name.lower() for name in additional}
        return {name: value for name, value in defaults.items() if name.lower() not in replaced} | dict(additional)

    def request(self, endpoint: Endpoint[object], path: _Texts, query: _Values, body: _Values) -> Request:
        """Return the request of a call. Whatever is None in `query` or `body` is left out. Only a POST has a body."""
        url = self.base_url + endpoint.path.format_map({name: quote(part, safe="") for name, part in path.items()})
        encoded = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in _without_none(query).items())
        url = f"{url}?{encoded}" if encoded else url
        if endpoint.method != "POST":
            return Request(endpoint.method, url, self._headers)
        headers = {**self._headers, "Content-Type": "application/json"}
        return Request(endpoint.method, url, headers, json.dumps(_without_none(body)).encode())

    def read(self, endpoint: Endpoint[_T], response: Response) -> _T:
        """Return the value in a response, or raise the error that it is."""
        request_id = self.request_id(response)
        if response.too_large:
            raise errors.ResponseTooLargeError(f"the response exceeds {MAX_BODY // 2**20} MiB", request_id=request_id)
        if response.status not in endpoint.success:
            raise self._api_error(response, _object_in(response.body))
        try:
            value = endpoint.decode(response.body)
        except errors.ResponseParsingError as error:
            # An error object under a status that means success is what the service says, not a garbled page.
            fields = _object_in(response.body)
            if _object(fields.get("error")):
                raise self._api_error(response, fields) from None
            error.args = (self._safe.text(str(error), ours=True),)
            error.problems = tuple((self._safe.text(path, ours=True), reason) for path, reason in error.problems)
            error.excerpt, error.request_id = self._safe.text(_text(response)), request_id
            raise
        if isinstance(value, Page):
            return cast("_T", attrs.evolve(cast("Page[Any]", value), request_id=request_id))
        return value

    def request_id(self, response: Response) -> str | None:
        """Return the service's id of the request, safe to show; None if it is absent or empty."""
        headers = response.headers
        return self._safe.text(headers.get("x-pinecone-request-id") or headers.get("x-request-id") or "") or None

    def _api_error(self, response: Response, fields: Mapping[str, Any]) -> errors.ApiError:
        facts, status = _object(fields.get("error")), response.status
        # Gateways in front of the service write a `message` or `detail` at the top level.
        texts = [facts.get("message"), fields.get("message"), fields.get("detail"), "" if facts else _text(response)]
        message = self._safe.text(next(text for text in texts if isinstance(text, str)))
        code = facts.get("code") if isinstance(facts.get("code"), str) else None
        is_clean = len(response.body) <= MAX_DETAILS and self._safe.is_clean(_text(response))
        unavailable = code == errors.ErrorCode.UNAVAILABLE and 200 <= status < 300
        kind = errors.ServiceError if unavailable else errors.CLASS_OF_STATUS.get(status, errors.ApiError)
        error = kind(
            message or "the response had no error message",
            status=status,
            # A known code is no secret, whatever the key is.
            code=code if code is None or code in set(errors.ErrorCode) else self._safe.text(code),
            details=facts.get("details") if is_clean else None,
            retry_after=_retry_after(response.headers),
            request_id=self.request_id(response),
        )
        if isinstance(error, errors.UnauthorizedError):
            error.key_source = self._key_source
        return error


def _without_none(values: _Values) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def _text(response: Response) -> str:
    """Return the beginning of a body as text."""
    return response.body[:MAX_ERROR_BODY].decode(errors="replace").strip()


def _object(value: Any) -> dict[str, Any]:
    """Return a JSON object; of anything else, an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _object_in(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body; an empty one if there is none, or the body is too large for an error."""
    try:
        return _object(decode_json(body) if len(body) <= MAX_ERROR_BODY else None)
    except errors.ResponseParsingError:
        return {}


def _retry_after(headers: _Texts) -> float | None:
    """Return the Retry-After of a response in seconds; None if it is absent or neither numbers nor a date.

    Of a list of numbers the largest counts: coming back late is safe, coming back early is not. A date counts from the
    response's own Date, so that a server whose clock is off is still understood; one in the past is 0.
    """
    text = headers.get("Retry-After", "")
    numbers = text.split(",")
    if all(re.fullmatch(_SECONDS, number) for number in numbers):
        return max(map(float, numbers))
    moment, start = _date(text), _date(headers.get("Date", "")) or dt.datetime.now(dt.UTC)
    return None if moment is None else max(0.0, (moment - start).total_seconds())


def _date(text: str) -> dt.datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC)
    except (ValueError, OverflowError):
        return None


class SafeText:
    """Masks secrets in text of the service's, and bounds it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = list(secrets)
        self._searched = MAX_TEXT + _LONGEST_ESCAPE * max(map(len, known), default=0)
        self._shortest = min((len(form) for secret in known for form in _unescaped(secret)), default=0)
        patterns = _pattern(known), _pattern([secret for secret in known if len(secret) >= TELLING])
        self._patterns: Callable[[], tuple[re.Pattern[str], ...]] = lambda: patterns  # so that no attribute shows them

    def text(self, text: str, *, ours: bool = False) -> str:
        """Return a text as it may be shown: masked, in one line, of at most 500 characters.

        In a sentence of `ours` with names of the service's, a very short secret is not looked for.
        """
        if len(text) < self._shortest and text.isprintable():  # such as most request ids: one comes with every page
            return text[:MAX_TEXT]
        every, telling = self._patterns()
        pattern = telling if ours else every
        masked = pattern.sub(lambda secret: _MASKED * len(secret[0]), text[: self._searched])
        if any(map(pattern.search, _unescaped(masked))):
            return "***"
        shown = re.sub(f"{_MASKED}+", "***", masked[:MAX_TEXT])
        escaped = (each if each.isprintable() else each.encode("unicode_escape", "replace").decode() for each in shown)
        return "".join(escaped)[:MAX_TEXT]

    def is_clean(self, text: str) -> bool:
        """Return whether a text has no secret in any spelling."""
        return not any(map(self._patterns()[0].search, (text, *_unescaped(text))))


def _pattern(secrets: list[str]) -> re.Pattern[str]:
    forms = {re.escape(form) for secret in secrets for form in (secret, *_unescaped(secret)) if form}
    return re.compile("|".join(sorted(forms, key=len, reverse=True)) or "(?!)", re.IGNORECASE)


def _unescaped(text: str) -> Iterator[str]:
    """Yield a text without one layer of escapes, without two, and so on: what precedes a secret may hide it deeper."""
    for _ in range(_LAYERS):
        text = re.sub(_ESCAPE, _character, text)
        yield text


def _character(escape: re.Match[str]) -> str:
    code = escape["code"] or escape["html_code"]
    if code:
        return chr(int(code, 16))
    return chr(int(escape["decimal"])) if escape["decimal"] else escape["plain"] or _ENTITIES.get(escape["entity"], "")
