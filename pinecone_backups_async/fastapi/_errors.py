"""Errors as HTTP answers: problem details (RFC 9457). Knows whose value an error is about; sends no text of a service.

Who caused an error decides the status. It is the caller's only if the caller sent the value that was refused,
and the backups service itself said so: an HTML page of a proxy blames nobody. What is not the caller's doing is 500 or
above, and logged.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Final, cast

from fastapi import FastAPI, Request
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.websockets import WebSocket, WebSocketState

from pinecone_backups_async import (
    ApiError,
    BackupsError,
    ClientClosedError,
    ConfigurationError,
    ConflictError,
    ErrorCode,
    FailedPreconditionError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    PaymentRequiredError,
    RateLimitError,
    TransportTimeoutError,
    UnauthorizedError,
    WaitFailedError,
    WaitTimeoutError,
)

__all__ = ["Problem", "install_error_handlers", "mark_key_as_callers", "problem_responses"]

_CALLERS_KEY: Final = "pinecone_backups_key_is_the_callers"
_CLOSED_BY_ERROR: Final = 1011  # "internal error", RFC 6455
_MAX_REASON: Final = 123  # bytes of a close frame, RFC 6455
_MEDIA_TYPE: Final = "application/problem+json"
_log = logging.getLogger("pinecone_backups_async")

# Arguments whose values callers choose. Every other argument is a setting of the service, and its value is not sent.
_CALLERS_ARGUMENTS: Final = frozenset(
    {"backup", "backup_id", "deletion_protection", "description", "include_deleted", "index_name", "limit"}
    | {"max_age", "max_items", "name", "pagination_token", "restore", "restore_job_id", "tags"}
)
# What an error means if nothing is known of its cause; the first class that fits.
_BY_CLASS: Final[tuple[tuple[type[BackupsError], int, str], ...]] = (
    (RateLimitError, 503, "The backups service limits the rate of requests."),
    (PaymentRequiredError, 502, "The account at the backups service has an unpaid bill."),
    (ClientClosedError, 503, "This service is shutting down."),
    (WaitFailedError, 502, "The operation has failed."),
    (WaitTimeoutError, 504, "The operation did not finish in time."),
    (TransportTimeoutError, 504, "The backups service did not answer in time."),
)


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


_absent: Final[Any] = partial(Field, default=None, json_schema_extra=_without_default)


class Problem(BaseModel):
    """The body of an error response: problem details (RFC 9457)."""

    type: str = Field(
        default="about:blank", description="Always `about:blank`: the status says what kind of problem it is."
    )
    title: str = Field(description="The phrase of the HTTP status.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What went wrong, in one sentence.")
    error: str = Field(description="The class of the error.")
    code: str | SkipJsonSchema[None] = _absent(description="The code that the backups service gave.")
    request_id: str | SkipJsonSchema[None] = _absent(description="The backups service's id of its response.")
    outcome_unknown: bool | SkipJsonSchema[None] = _absent(
        description="True if the request may have taken effect. Look before you repeat it."
    )


def _response(description: str, **more: Any) -> dict[str, Any]:
    return {"description": description, "content": {_MEDIA_TYPE: {"schema": Problem.model_json_schema()}}, **more}


def _header(name: str, kind: str, description: str) -> dict[str, Any]:
    return {name: {"description": description, "schema": {"type": kind}}}


_VALIDATION_ERRORS: Final = {
    "title": "HTTPValidationError",
    "type": "object",
    "required": ["detail"],
    "properties": {"detail": {"type": "array", "items": {"type": "object"}}},
}

problem_responses: Final[dict[int | str, dict[str, Any]]] = {
    401: _response(
        "The API key of the request is missing, malformed or refused.",
        headers=_header("WWW-Authenticate", "string", "The scheme of the key."),
    ),
    404: _response("What the request names does not exist."),
    409: _response("The name is taken."),
    412: _response("The backup is not Ready, or restore jobs use it."),
    422: _response("A value of the request is not allowed."),
    500: _response("The service has a wrong setting, or the outcome of a write is unknown."),
    502: _response("The backups service failed, or refused this service."),
    503: _response(
        "The backups service limits the rate of requests, or this service is shutting down.",
        headers=_header("Retry-After", "integer", "How many seconds to wait, if that is known."),
    ),
    504: _response("The backups service did not answer in time."),
}
"""The error responses for OpenAPI, by status: `FastAPI(responses=problem_responses)`, or `responses=` of a route."""
problem_responses[422]["content"]["application/json"] = {"schema": _VALIDATION_ERRORS}  # FastAPI's own


def install_error_handlers(app: FastAPI) -> None:
    """Answer every BackupsError that leaves a handler as problem+json, without secrets.

    An accepted websocket is closed with code 1011 instead. An answer of 500 or above is also logged as a WARNING,
    because the caller did not cause it.
    """
    app.add_exception_handler(BackupsError, cast("Any", _answer_error))


def mark_key_as_callers(connection: HTTPConnection) -> None:
    """Note that the API key used for this request came with it."""
    setattr(connection.state, _CALLERS_KEY, True)


async def _answer_error(connection: Request | WebSocket, error: BackupsError) -> JSONResponse | None:
    problem = _problem(connection, error)
    if problem.status >= 500:
        facts = {"status": problem.status, **problem.model_dump(include={"error", "code", "request_id"})}
        shown = " ".join(str(value) for name, value in facts.items() if name != "status" and value is not None)
        extra = {f"pinecone_{name}": value for name, value in facts.items() if value is not None}
        _log.warning("answered %d to %s", problem.status, shown, extra=extra)
    if isinstance(connection, WebSocket) and not _takes_http_response(connection):
        await _close(connection, problem.detail)
        return None
    content = problem.model_dump(exclude_none=True)
    return JSONResponse(content, problem.status, _headers(problem.status, error), media_type=_MEDIA_TYPE)


def _problem(request: HTTPConnection, error: BackupsError) -> Problem:
    """Return what is sent: nothing but what was chosen here, since an error's own text may quote the service."""
    status, detail = _status(request, error)
    code: str | None = getattr(error, "code", None)
    return Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        error=type(error).__name__,
        code=code if code in set(ErrorCode) else None,
        request_id=getattr(error, "request_id", None),
        outcome_unknown=error.outcome_unknown or None,
    )


def _headers(status: int, error: BackupsError) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": "APIKey"}  # HTTP demands one; this is how FastAPI names the scheme
    wait = error.retry_after if status == 503 and isinstance(error, ApiError) else None
    return {} if wait is None or not math.isfinite(wait) else {"Retry-After": str(math.ceil(wait))}


def _takes_http_response(socket: WebSocket) -> bool:
    """Return whether a websocket that was not accepted can be refused with a response of our own."""
    is_new = socket.application_state is WebSocketState.CONNECTING
    return is_new and "websocket.http.response" in (socket.scope.get("extensions") or {})


async def _close(socket: WebSocket, detail: str) -> None:
    """Close a websocket, unless either side has closed it already."""
    if WebSocketState.DISCONNECTED not in {socket.application_state, socket.client_state}:
        await socket.close(_CLOSED_BY_ERROR, detail.encode()[:_MAX_REASON].decode(errors="ignore"))


def _status(request: HTTPConnection, error: BackupsError) -> tuple[int, str]:
    if error.outcome_unknown:
        return 500, "It may have happened: look before you repeat."
    known: tuple[int, str] | None = None
    if isinstance(error, ConfigurationError):
        known = _status_of_argument(request, error)
    elif isinstance(error, ApiError):
        known = _status_of_refusal(request, error)
    by_class = ((status, detail) for cls, status, detail in _BY_CLASS if isinstance(error, cls))
    return known or next(by_class, (502, "The backups service failed."))


def _status_of_argument(request: HTTPConnection, error: ConfigurationError) -> tuple[int, str]:
    if error.argument == "api_key" and _has_callers_key(request):
        return 401, "The API key is missing or malformed."
    if error.argument in _CALLERS_ARGUMENTS:
        return 422, str(error)
    return 500, "This service is not configured properly."


def _status_of_refusal(request: HTTPConnection, error: ApiError) -> tuple[int, str] | None:
    """Return the answer to what the backups service refused, or None if its response does not say who is wrong."""
    if _is_quota(error):
        return 502, "The backups service says that a quota is used up."
    if _is_about_key(error):
        if _has_callers_key(request):
            return 401, "The backups service refused the API key."
        return 502, "The backups service refused this service's own API key."
    if error.code is None:  # not the service's error object: a proxy on the way may have answered
        return None
    if isinstance(error, InvalidRequestError) and error.pagination_token in _texts_in_url(request):
        return 422, "The backups service refused the pagination token."
    return next(
        (answer for cls, is_callers, answer in _REFUSALS if isinstance(error, cls) and is_callers(request, error)), None
    )


def _is_quota(error: ApiError) -> bool:
    """Return whether a quota is used up: no waiting helps then, and no key is wrong."""
    if error.code == ErrorCode.QUOTA_EXCEEDED:
        return True
    return isinstance(error, ForbiddenError) and error.code == ErrorCode.FORBIDDEN and "quota" in error.message.lower()


def _is_about_key(error: ApiError) -> bool:
    if isinstance(error, UnauthorizedError) and error.code is None:
        return error.message == "Invalid API key"
    return isinstance(error, UnauthorizedError | ForbiddenError) and error.code is not None


def _has_callers_key(request: HTTPConnection) -> bool:
    return getattr(request.state, _CALLERS_KEY, False)


def _texts_in_url(request: HTTPConnection) -> set[object]:
    """Return what the caller may have passed on; the token of a listing's later page is not there."""
    return {*request.query_params.values(), *request.path_params.values()}


def _names_something(request: HTTPConnection, error: ApiError) -> bool:
    return error.code == ErrorCode.NOT_FOUND and bool(_texts_in_url(request))


def _brings_values(request: HTTPConnection, _: ApiError) -> bool:
    has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    return has_body or bool(_texts_in_url(request))


_REFUSALS: Final[tuple[tuple[type[ApiError], Callable[[HTTPConnection, ApiError], bool], tuple[int, str]], ...]] = (
    (NotFoundError, _names_something, (404, "What this request names does not exist.")),
    (ConflictError, _brings_values, (409, "The name is taken.")),
    (FailedPreconditionError, _brings_values, (412, "The backup is not Ready, or restore jobs use it.")),
)
