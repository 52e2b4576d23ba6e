"""Which response each error becomes: problem+json that blames whom it should and shows no secret."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]
import pytest
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect

import pinecone_backups_async as pba
from pinecone_backups_async.fastapi import install_error_handlers, problem_responses, request_client
from tests.support.services import http_client, sent_to_websocket

KEY = "pcsk_key-of-the-fastapi-tests"
SECRET = f"the service quotes {KEY}, and what it likes"
CLIENT = pba.BackupsClient(KEY)


async def answer_to(error: Exception, *, callers_key: bool = False, **request: Any) -> httpx.Response:
    """Return what a handler that raises the error answers a request; the answer is valid by `problem_responses`."""
    app = FastAPI()
    install_error_handlers(app)

    @app.api_route("/", methods=["GET", "POST", "DELETE"])
    @app.get("/at/{place}")
    async def fail(request: Request, place: str = "") -> None:
        if callers_key:
            async with request_client(request, KEY):
                raise error
        raise error

    async with http_client(app) as http:
        arguments: dict[str, Any] = {"method": "GET", "url": "/", **request}
        answer = await http.request(**arguments)
    schema = problem_responses[answer.status_code]["content"]["application/problem+json"]["schema"]
    jsonschema.validate(answer.json(), {**schema, "additionalProperties": False})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    assert KEY not in answer.text
    return answer


def api(cls: type[pba.ApiError], status: int, code: str | None = None, **facts: Any) -> pba.ApiError:
    return cls(facts.pop("message", SECRET), status=status, code=code, **facts)


def refused(make: Callable[..., object] = CLIENT.list_backups, **arguments: Any) -> Exception:
    with pytest.raises(pba.ConfigurationError) as caught:
        make(**arguments)
    return caught.value


FORBIDDEN = api(pba.ForbiddenError, 403, "PERMISSION_DENIED")
UNAUTHORIZED = api(pba.UnauthorizedError, 401, "UNAUTHENTICATED")
PLAIN_401 = api(pba.UnauthorizedError, 401, message="Invalid API key")
NOT_FOUND = api(pba.NotFoundError, 404, "NOT_FOUND")
TAKEN = api(pba.ConflictError, 409, "ALREADY_EXISTS")
NOT_READY = api(pba.FailedPreconditionError, 412, "FAILED_PRECONDITION")
TOKEN = api(pba.InvalidRequestError, 400, "INVALID_ARGUMENT", pagination_token="t==")
BAD_KEY = pba.ConfigurationError(f"api_key {KEY} is malformed", argument="api_key")

AT_HOME, CALLERS_KEY = {"url": "/at/home"}, {"callers_key": True}
BODY = {"method": "POST", "url": "/", "json": {"name": "new"}}
THEIR_TOKEN, IN_PATH = {"url": "/?token=t%3D%3D"}, {"url": "/at/t%3D%3D"}
DELETE = {"method": "DELETE", "url": "/?backup=b1"}

# The status, what the request has, and the errors.
TABLE: list[tuple[int, dict[str, Any], list[Exception]]] = [
    (502, {}, [
        pba.TransportError(SECRET), pba.WaitFailedError(SECRET), pba.IncompleteListingError(SECRET),
        api(pba.ServiceError, 503, retry_after=5), api(pba.RateLimitError, 429, "QUOTA_EXCEEDED"),
        pba.ResponseParsingError(SECRET, excerpt=SECRET, problems=[("$", SECRET)]),
    ]),
    (503, {}, [api(pba.RateLimitError, 429), pba.ClientClosedError(SECRET)]),
    (504, {}, [pba.TransportTimeoutError(SECRET), pba.WaitTimeoutError(SECRET)]),
    (502, AT_HOME, [api(pba.PaymentRequiredError, 402, "PAYMENT_REQUIRED")]),
    (502, CALLERS_KEY, [
        api(pba.ForbiddenError, 403, "FORBIDDEN", message="Increase your quota or upgrade to create more backups."),
        api(pba.ForbiddenError, 403, "QUOTA_EXCEEDED"), api(pba.ServiceError, 500, "UNKNOWN"),
    ]),
    # A refused key is the service's own, unless it came with the request.
    (502, {}, [UNAUTHORIZED, PLAIN_401]), (502, AT_HOME, [FORBIDDEN]), (500, {}, [BAD_KEY]),
    # A proxy or a firewall blames nobody: what it sends is not the service's error object.
    (502, CALLERS_KEY, [
        api(pba.UnauthorizedError, 401, message="<html>401"),
        api(pba.ForbiddenError, 403, message="<html>Invalid API key"),
    ]),
    (502, THEIR_TOKEN, [api(pba.InvalidRequestError, 400, pagination_token="t==")]),
    (502, AT_HOME, [api(pba.NotFoundError, 404), api(pba.NotFoundError, 404, "OUT_OF_RANGE")]),
    # Nothing in the request can be what was refused.
    (502, {}, [NOT_FOUND, TAKEN]), (502, BODY, [NOT_FOUND]), (502, {"method": "POST"}, [NOT_READY]),
    (502, {"url": "/?token=other"}, [TOKEN]), (502, AT_HOME, [api(pba.InvalidRequestError, 400, "INVALID_ARGUMENT")]),
    # Settings of the service.
    (500, {}, [
        refused(pba.BackupsClient, api_key=KEY, timeout=-1.5), refused(pba.RetryPolicy, attempts=0),
        pba.ConfigurationError(SECRET),
    ]),
    (500, {"url": "/?timeout=-1.5"}, [refused(timeout=-1.5)]),
    (500, CALLERS_KEY, [refused(attempt_timeout=0), pba.ConfigurationError(SECRET, argument="base_url")]),
    # Nobody knows what happened.
    (500, AT_HOME, [cls(SECRET, outcome_unknown=True) for cls in (pba.TransportTimeoutError, pba.ClientClosedError)]),
    (500, AT_HOME, [api(pba.ServiceError, 503, "UNAVAILABLE", outcome_unknown=True, retry_after=5)]),
    # What the caller caused.
    (401, CALLERS_KEY, [UNAUTHORIZED, PLAIN_401, FORBIDDEN, BAD_KEY]),
    (404, AT_HOME, [NOT_FOUND]), (404, DELETE, [NOT_FOUND]), (409, AT_HOME, [TAKEN]), (409, BODY, [TAKEN]),
    (412, DELETE, [NOT_READY]), (412, BODY, [NOT_READY]), (422, THEIR_TOKEN, [TOKEN]), (422, IN_PATH, [TOKEN]),
    (422, BODY, [pba.ConfigurationError("name must be a str", argument="name")]),
    (422, {}, [refused(limit=101), refused(pagination_token=""), refused(max_items=-1)]),
    (422, CALLERS_KEY, [refused(limit="api_key")]),
]  # fmt: skip
CASES = [(error, status, request) for status, request, errors in TABLE for error in errors]


@pytest.mark.parametrize(("error", "status", "request_"), CASES, ids=lambda value: type(value).__name__)
async def test_whom_a_status_blames(
    error: Exception, status: int, request_: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """What the caller caused is 4xx and says why. All else is 5xx, is logged, and shows no value of the service's."""
    answer = await answer_to(error, **request_)
    assert (answer.status_code, answer.json()["error"]) == (status, type(error).__name__)
    assert answer.headers.get("www-authenticate") == ("APIKey" if status == 401 else None)
    if isinstance(error, pba.ConfigurationError) and status == 422:
        assert answer.json()["detail"] == str(error)
    if getattr(error, "outcome_unknown", False):  # invites no retry
        assert (answer.json()["outcome_unknown"], answer.headers.get("retry-after")) == (True, None)
        assert answer.json()["detail"] == "It may have happened: look before you repeat."
    logged = [vars(record) for record in caplog.records if record.name == "pinecone_backups_async"]
    expected = [(logging.WARNING, status, type(error).__name__)] if status >= 500 else []
    assert [(each["levelno"], each["pinecone_status"], each["pinecone_error"]) for each in logged] == expected
    assert not [text for text in (KEY, "-1.5") if text in caplog.text + answer.text]


@pytest.mark.parametrize(("wait", "header"), [(1.2, "2"), (0.0, "0"), (math.inf, None), (math.nan, None), (None, None)])
async def test_retry_after_is_whole_seconds(wait: float | None, header: str | None) -> None:
    answer = await answer_to(api(pba.RateLimitError, 429, retry_after=wait))
    assert answer.headers.get("retry-after") == header


@pytest.mark.parametrize("code", ["UNKNOWN", "MADE_UP", "<script>"])
async def test_a_problem_has_what_support_asks_for(code: str, caplog: pytest.LogCaptureFixture) -> None:
    """A code goes out only if the specification knows it."""
    answer = await answer_to(api(pba.ServiceError, 500, code, request_id="req-7"))
    shown = {"code": code} if code == "UNKNOWN" else {}
    facts = {"status": 502, "error": "ServiceError", **shown, "request_id": "req-7"}
    told = {"type": "about:blank", "title": "Bad Gateway", "detail": "The backups service failed."}
    assert answer.json() == told | facts
    # An application's own factory of records may set any name that does not begin with our prefix.
    record = vars(next(record for record in caplog.records if record.name == "pinecone_backups_async"))
    added = record.keys() - vars(logging.makeLogRecord({})).keys() - {"message", "asctime"}
    assert {name: record[name] for name in added} == {f"pinecone_{name}": value for name, value in facts.items()}


TIMEOUT = pba.TransportTimeoutError(SECRET)
LONG = pba.ConfigurationError(f"limit {'é' * 100}", argument="limit")
AS_HTTP = ["websocket.http.response.start 504", "websocket.http.response.body"]
ACCEPT, CLOSE = "websocket.accept", "websocket.close 1011 The backups service did not answer in time."


@pytest.mark.parametrize(("error", "before", "extensions", "sent"), [
    (TIMEOUT, "accept", {}, [ACCEPT, CLOSE]),
    (LONG, "accept", {}, [ACCEPT, f"websocket.close 1011 limit {'é' * 58}"]),
    (TIMEOUT, "accept close", {}, [ACCEPT, "websocket.close 1000 "]),
    (TIMEOUT, "accept disconnect", {}, [ACCEPT]), (TIMEOUT, "", {}, [CLOSE]),
    (TIMEOUT, "", {"websocket.http.response": {}}, AS_HTTP),
])  # fmt: skip
async def test_what_a_websocket_gets(
    error: Exception, before: str, extensions: dict[str, Any], sent: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A close with a reason of at most 123 bytes, in which no character is cut in two; nothing if it is closed already.

    If it was not accepted, it gets an HTTP response, where the server can send one.
    """
    app = FastAPI()
    install_error_handlers(app)

    @app.websocket("/")
    async def fail(socket: WebSocket) -> None:
        if "accept" in before:
            await socket.accept()
        if "close" in before:
            await socket.close()
        if "disconnect" in before:
            with pytest.raises(WebSocketDisconnect):
                await socket.receive_text()
        raise error

    messages = await sent_to_websocket(app, extensions=extensions)
    names = ("type", "code", "status", "reason")
    assert [" ".join(str(message[name]) for name in names if name in message) for message in messages] == sent
    assert ("TransportTimeoutError" in caplog.text) is (error is TIMEOUT)
    assert KEY not in repr(messages)
