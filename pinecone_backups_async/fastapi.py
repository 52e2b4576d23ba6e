"""For FastAPI: a lifespan, a dependency, honest error answers, and responses. Uses only what the door exports.

Needs the extra [fastapi].
"""

from __future__ import annotations

import datetime as dt
import inspect
import json
import logging
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from types import UnionType
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin

import attrs

from pinecone_backups_async import (
    ApiError,
    Backup,
    BackupPage,
    BackupPager,
    BackupsClient,
    BackupsError,
    ClientClosedError,
    ConfigurationError,
    ErrorCode,
    ForbiddenError,
    InvalidRequestError,
    MetadataField,
    RateLimitError,
    TransportTimeoutError,
    UnauthorizedError,
)

try:
    from fastapi import Depends, FastAPI, Request
    from fastapi.requests import HTTPConnection
    from fastapi.responses import JSONResponse, StreamingResponse
    from pydantic import ConfigDict, InstanceOf, PlainSerializer, WithJsonSchema
    from starlette.types import Message, Send
    from starlette.websockets import WebSocket, WebSocketState
    from typing_extensions import TypedDict
except ModuleNotFoundError as _error:
    raise ImportError("this module needs FastAPI: pip install 'pinecone-backups-async[fastapi]'") from _error

__all__ = [
    "BackupModel",
    "BackupPageModel",
    "BackupsDep",
    "backups_ndjson",
    "client_of",
    "install_error_handlers",
    "lifespan",
    "request_client",
]

_STATE: Final = "pinecone_backups"
_CALLERS_KEY: Final = "pinecone_backups_key_is_the_callers"
_CLOSED_BY_ERROR: Final = 1011  # "internal error", RFC 6455
_log = logging.getLogger("pinecone_backups_async")

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any] | None]]


def lifespan(
    client_factory: Callable[[], BackupsClient] = BackupsClient, then: Lifespan | None = None
) -> Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any]]]:
    """Return a lifespan for FastAPI(lifespan=...) that opens one client for the application, and closes it.

    `client_factory` is called when the application starts. `then` is the application's own lifespan: it runs inside,
    and the state that it yields is kept.
    """

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncGenerator[Mapping[str, Any]]:
        async with client_factory() as client:
            if then is None:
                yield {_STATE: client}
            else:
                async with then(app) as state:
                    yield {**(state or {}), _STATE: client}

    return run


def client_of(connection: HTTPConnection) -> BackupsClient:
    """Return the application's client; raise RuntimeError where the application runs without our lifespan."""
    client = getattr(connection.state, _STATE, None)
    if not isinstance(client, BackupsClient):
        raise RuntimeError("no BackupsClient in this application's state: pass FastAPI(lifespan=lifespan())")
    return client


BackupsDep = Annotated[BackupsClient, Depends(client_of)]
"""The application's client, for a handler or a websocket that asks for it: `client: BackupsDep`."""


def request_client(connection: HTTPConnection, api_key: str | None, **settings: Any) -> BackupsClient:
    """Return a client for a key that came with this request, to be used with `async with`.

    Pass `connector=` to share connections between such clients. From now on a key that is refused in this request is
    taken for the caller's: the error handlers answer 401, not 502. None is a key that is missing, never the
    environment's. Raises ConfigurationError, as BackupsClient does.
    """
    setattr(connection.state, _CALLERS_KEY, True)
    return BackupsClient("" if api_key is None else api_key, **settings)


# Errors, as problem details (RFC 9457).

# What only the making of a client takes is this service's own, and no argument of its callers.
_SETTINGS: Final = (
    inspect.signature(BackupsClient).parameters.keys() - inspect.signature(BackupsClient.list_backups).parameters.keys()
)


def install_error_handlers(app: FastAPI) -> None:
    """Have every BackupsError that leaves a handler answered as problem+json, without secrets.

    An accepted websocket is closed with code 1011 instead. What is not the caller's doing, 500 and above, is also
    logged as a WARNING.
    """
    app.add_exception_handler(BackupsError, cast("Any", _answer_error))


async def _answer_error(connection: Request | WebSocket, error: BackupsError) -> JSONResponse | None:
    status, detail = _status(connection, error)
    # Only what was chosen here goes out: an error's own text may quote the service.
    facts = {"error": type(error).__name__}
    facts |= {name: value for name in ("code", "request_id") if (value := getattr(error, name, None)) is not None}
    if status >= 500:
        _log.warning("answered %d to %s", status, " ".join(facts.values()), extra={"status": status, **facts})
    if isinstance(connection, WebSocket) and connection.application_state is not WebSocketState.CONNECTING:
        await connection.close(_CLOSED_BY_ERROR, detail)  # an accepted socket takes no HTTP response
        return None
    problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **facts}
    return JSONResponse(problem, status, _headers(status, error), media_type="application/problem+json")


def _headers(status: int, error: BackupsError) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": "APIKey"}  # HTTP demands one; this is how FastAPI names the scheme
    wait = error.retry_after if status == 503 and isinstance(error, ApiError) else None
    return {} if wait is None or not math.isfinite(wait) else {"Retry-After": str(math.ceil(wait))}


def _status(request: HTTPConnection, error: BackupsError) -> tuple[int, str]:
    if isinstance(error, ConfigurationError):
        return _status_of_argument(request, error)
    if isinstance(error, ApiError) and error.code == ErrorCode.QUOTA_EXCEEDED:  # under 429 and 403; no key is wrong
        return 502, "The backups service says that a quota is used up."
    if isinstance(error, UnauthorizedError | ForbiddenError):
        if _has_callers_key(request):
            return 401, "The backups service refused the API key."
        return 502, "The backups service refused this service's own API key."
    if isinstance(error, InvalidRequestError) and error.pagination_token in _texts_in_url(request):
        return 422, "The backups service refused the pagination token."
    if isinstance(error, RateLimitError):
        return 503, "The backups service limits the rate of requests."
    if isinstance(error, TransportTimeoutError):
        return 504, "The backups service did not answer in time."
    if isinstance(error, ClientClosedError):
        return 503, "This service is shutting down."
    return 502, "The backups service failed."


def _status_of_argument(request: HTTPConnection, error: ConfigurationError) -> tuple[int, str]:
    argument = str(error).partition(" ")[0]  # the message begins with its name
    if argument == "api_key" and _has_callers_key(request):
        return 401, "The API key is missing, or cannot be one."
    if argument in _SETTINGS:
        return 500, "This service is not configured properly."
    return 422, str(error)


def _has_callers_key(request: HTTPConnection) -> bool:
    return getattr(request.state, _CALLERS_KEY, False)


def _texts_in_url(request: HTTPConnection) -> set[object]:
    """Return what the caller may have passed on; the token of a walk's later page is not there."""
    return {*request.query_params.values(), *request.path_params.values()}


# Responses: their schemas are made from the attrs classes, so that the fields stand in one place.

_make_typed_dict: Final[Any] = TypedDict  # made at run time, which type checkers do not follow
_TIME: Final = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


def _wire(kind: Any) -> Any:
    """Return what a field is in `to_dict()`, where its attrs class says what it is in Python."""
    if kind is dt.datetime:
        return _TIME
    if get_origin(kind) in {Union, UnionType}:
        return Union[tuple(_wire(part) for part in get_args(kind))]  # noqa: UP007 - built at run time
    if get_origin(kind) is Mapping:
        return dict[str, _wire(get_args(kind)[1])]  # type: ignore[misc]
    return _shape(kind, total=kind is not MetadataField) if attrs.has(kind) else kind


def _shape(cls: type, *, total: bool = True) -> Any:
    fields = {
        field.name: _wire(field.type) for field in attrs.fields(attrs.resolve_types(cls)) if field.name != "extra"
    }
    made = _make_typed_dict(cls.__name__, fields, total=total)
    made.__doc__, made.__pydantic_config__ = cls.__doc__, ConfigDict(extra="allow")
    return made


_BackupShape: Final = _shape(Backup)
_PaginationShape: Final = _make_typed_dict("Pagination", {"next": str})
_PageShape: Final = _make_typed_dict(
    "BackupPage",
    {"data": list[_BackupShape], "pagination": _PaginationShape | None},  # type: ignore[valid-type]
)

BackupModel = Annotated[InstanceOf[Backup], PlainSerializer(Backup.to_dict, return_type=_BackupShape)]
"""A Backup that leaves a handler as its `to_dict()`, with a schema: `-> BackupModel`, `-> list[BackupModel]`."""

BackupPageModel = Annotated[InstanceOf[BackupPage], PlainSerializer(BackupPage.to_dict, return_type=_PageShape)]
"""A BackupPage that leaves a handler as its `to_dict()`, with a schema: `-> BackupPageModel`."""


async def _chained(first: Any, others: AsyncIterator[Any]) -> AsyncIterator[Any]:
    yield first
    async for other in others:
        yield other


class _NdjsonResponse(StreamingResponse):
    media_type = "application/x-ndjson"

    async def stream_response(self, send: Send) -> None:
        chunks = aiter(self.body_iterator)
        first = await anext(chunks)  # before the response begins: what fails at once is answered as any other error
        started: list[Message] = []

        async def noting_the_start(message: Message) -> None:
            if not started:
                started.append(message)
            await send(message)

        self.body_iterator = _chained(first, chunks)
        try:
            await super().stream_response(noting_the_start)
        except BackupsError as error:
            _log.warning("aborted a stream: %s", type(error).__name__, extra={"error": type(error).__name__})
            # Where an application raises, Starlette's BaseHTTPMiddleware still ends the body as if it were whole. It
            # hands on this message, which no server accepts within a body: that is an error at the place that counts.
            # GZipMiddleware repeats the start before it, which would count as the end where assertions are off (-O).
            started[0]["more_body"] = True
            await send({"type": "http.response.pathsend", "path": ""})
            raise


def backups_ndjson(pager: BackupPager) -> StreamingResponse:
    """Return a response that streams every backup as a line of JSON, whole as `Backup.to_dict()` has it.

    A complete stream ends with `{"end": true, "count": n}`; one without that line is not complete. A walk that fails
    on its way aborts the response, so that the receiver's client raises. The first page is fetched before the response
    begins, so that what fails at once is answered as problem+json by the error handlers.
    """

    async def lines() -> AsyncIterator[bytes]:
        count = 0
        async for page in pager.pages():
            count += len(page.data)
            yield b"".join(json.dumps(backup.to_dict()).encode() + b"\n" for backup in page.data)
        yield json.dumps({"end": True, "count": count}).encode() + b"\n"

    return _NdjsonResponse(lines())
