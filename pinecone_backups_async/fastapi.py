"""For FastAPI: a lifespan, a dependency, honest error answers, and responses. Uses only what the door exports.

Needs the extra [fastapi].
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import UnionType
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin

import attrs

from pinecone_backups_async import (
    ApiError,
    Backup,
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
    from fastapi.responses import JSONResponse, StreamingResponse
    from pydantic import ConfigDict, WithJsonSchema
    from typing_extensions import TypedDict
except ModuleNotFoundError as error:
    raise ImportError("this module needs FastAPI: pip install 'pinecone-backups-async[fastapi]'") from error

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

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any] | None]]


def lifespan(
    make_client: Callable[[], BackupsClient] = BackupsClient, inner: Lifespan | None = None
) -> Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any]]]:
    """Return a lifespan for FastAPI(lifespan=...) that opens one client for the application, and closes it.

    `make_client` is called when the application starts. `inner` is the application's own lifespan: it runs inside,
    and the state that it yields is kept.
    """

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncGenerator[Mapping[str, Any]]:
        async with make_client() as client:
            if inner is None:
                yield {_STATE: client}
            else:
                async with inner(app) as state:
                    yield {**(state or {}), _STATE: client}

    return run


def client_of(request: Request) -> BackupsClient:
    """Return the application's client; raise RuntimeError where the application runs without our lifespan."""
    client = getattr(request.state, _STATE, None)
    if not isinstance(client, BackupsClient):
        raise RuntimeError("no BackupsClient in this application's state: pass FastAPI(lifespan=lifespan())")
    return client


BackupsDep = Annotated[BackupsClient, Depends(client_of)]


def request_client(request: Request, api_key: str | None, **settings: Any) -> BackupsClient:
    """Return a client for a key that came with this request, to be used with `async with`.

    Pass `connector=` to share connections between such clients. Where the service refuses the key, or it cannot be
    one, the error handlers answer 401, not 502. Raises ConfigurationError, as BackupsClient does.
    """
    setattr(request.state, _CALLERS_KEY, True)
    return BackupsClient("" if api_key is None else api_key, **settings)


# Errors, as problem details (RFC 9457).


def install_error_handlers(app: FastAPI) -> None:
    """Have every BackupsError that leaves a handler answered as problem+json, without secrets."""
    app.add_exception_handler(BackupsError, cast("Any", _answer_error))


async def _answer_error(request: Request, error: BackupsError) -> JSONResponse:
    callers_key = getattr(request.state, _CALLERS_KEY, False)
    status, title = _status(error, callers_key=callers_key)
    problem: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "error": type(error).__name__}
    headers: dict[str, str] = {}
    if status == 422:
        problem["detail"] = str(error)
    if isinstance(error, ApiError):
        problem |= {"code": error.code, "request_id": error.request_id}
        if status == 503 and error.retry_after is not None and math.isfinite(error.retry_after):
            headers["Retry-After"] = str(math.ceil(error.retry_after))
    return JSONResponse(problem, status, headers, media_type="application/problem+json")


def _status(error: BackupsError, *, callers_key: bool) -> tuple[int, str]:
    if isinstance(error, UnauthorizedError | ForbiddenError):
        return (401, "The API key was refused") if callers_key else (502, "This service's API key was refused")
    if isinstance(error, ConfigurationError):
        return (401, "The API key is not valid") if callers_key and "api_key" in str(error) else (422, "A bad argument")
    if isinstance(error, InvalidRequestError):
        return 422, "The backups service refused the request"
    if isinstance(error, RateLimitError) and error.code != ErrorCode.QUOTA_EXCEEDED:
        return 503, "The backups service limits the rate of requests"
    if isinstance(error, TransportTimeoutError):
        return 504, "The backups service did not answer in time"
    if isinstance(error, ClientClosedError):
        return 503, "This service is shutting down"
    return 502, "The backups service failed"


# Responses: types made from the attrs classes, so that the fields stand in one place.

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
    return _typed_dict(kind, total=kind is not MetadataField) if attrs.has(kind) else kind


def _typed_dict(cls: type, *, total: bool = True) -> Any:
    fields = {
        field.name: _wire(field.type) for field in attrs.fields(attrs.resolve_types(cls)) if field.name != "extra"
    }
    made = _make_typed_dict(cls.__name__, fields, total=total)
    made.__doc__, made.__pydantic_config__ = cls.__doc__, ConfigDict(extra="allow")
    return made


BackupModel: Final = _typed_dict(Backup)
"""What `Backup.to_dict()` returns, for `response_model=`."""

_Pagination: Final = _make_typed_dict("Pagination", {"next": str})
BackupPageModel: Final = _make_typed_dict("BackupPage", {"data": list[BackupModel], "pagination": _Pagination | None})  # type: ignore[valid-type]
"""What `BackupPage.to_dict()` returns, for `response_model=`."""


async def backups_ndjson(pager: BackupPager) -> StreamingResponse:
    """Return a response that streams every backup as a line of JSON, whole as `Backup.to_dict()` has it.

    A complete stream ends with `{"end": true, "count": n}`; one without that line is not complete. A walk that fails
    on its way aborts the response, so that the receiver's client raises. The first page is fetched here, so that what
    fails at once is raised at once, and answered as problem+json.
    """
    pages = pager.pages()
    first = await anext(pages, None)

    async def lines() -> AsyncIterator[bytes]:
        count, page = 0, first
        while page is not None:
            count += len(page.data)
            yield b"".join(json.dumps(backup.to_dict()).encode() + b"\n" for backup in page.data)
            page = await anext(pages, None)
        yield json.dumps({"end": True, "count": count}).encode() + b"\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")
