"""Which response each error becomes: problem+json that blames whom it should and shows no secret."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]
import pytest
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect

import pinecone_backups_async as pba
from pinecone_backups_async.fastapi import install_error_handlers, problem_responses, request_client
from tests.support.services import sent_to_websocket

KEY = "pcsk_key-of-the-fastapi-tests"
SECRET = f"the service quotes {KEY}, and what it likes"
SLOW = "The backups service did not answer in time."


async def answer_to(
    error: Exception, *, url: str = "/", callers_key: bool = False, method: str = "GET", body: Any = None
) -> httpx.Response:
    """Return what a handler that raises the error is answered with; the answer is valid by `problem_responses`."""
    app = FastAPI()
    install_error_handlers(app)

    @app.api_route("/", methods=["GET", "POST", "DELETE"])
    @app.get("/at/{place}")
    async def fail(request: Request, place: str = "") -> None:
        if callers_key:
            async with request_client(request, KEY):
                raise error
        raise error

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as http:
        answer = await http.request(method, url, json=body)
    schema = problem_responses[answer.status_code]["content"]["application/problem+json"]["schema"]
    jsonschema.validate(answer.json(), {**schema, "additionalProperties": False})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    assert KEY not in answer.text
    return answer


def refused_by(make: Callable[[], object]) -> pba.ConfigurationError:
    with pytest.raises(pba.ConfigurationError) as caught:
        make()
    return caught.value


def api(cls: type[pba.ApiError], status: int, code: str | None = None, **facts: Any) -> pba.ApiError:
    return cls(facts.pop("message", SECRET), status=status, code=code, **facts)


CLIENT = pba.BackupsClient(KEY)
FORBIDDEN = api(pba.ForbiddenError, 403, "PERMISSION_DENIED")
UNAUTHORIZED = api(pba.UnauthorizedError, 401, "UNAUTHENTICATED")
PLAIN_401 = api(pba.UnauthorizedError, 401, message="Invalid API key")
QUOTA = api(pba.ForbiddenError, 403, "FORBIDDEN", message="Increase your quota or upgrade to create more backups.")
NOT_FOUND = api(pba.NotFoundError, 404, "NOT_FOUND")
TAKEN = api(pba.ConflictError, 409, "ALREADY_EXISTS")
NOT_READY = api(pba.FailedPreconditionError, 412, "FAILED_PRECONDITION")
TOKEN = api(pba.InvalidRequestError, 400, "INVALID_ARGUMENT", pagination_token="t==")
BAD_KEY = pba.ConfigurationError(f"api_key {KEY} is malformed", argument="api_key")
BODY = {"method": "POST", "body": {"name": "new"}}

NOT_THE_CALLERS: list[tuple[Exception, int, dict[str, Any]]] = [
    (api(pba.RateLimitError, 429), 503, {}),
    (api(pba.RateLimitError, 429, "QUOTA_EXCEEDED"), 502, {}),
    (api(pba.ForbiddenError, 403, "QUOTA_EXCEEDED"), 502, {"callers_key": True}),
    (QUOTA, 502, {"callers_key": True}),
    (api(pba.PaymentRequiredError, 402, "PAYMENT_REQUIRED"), 502, {"url": "/at/home"}),
    (pba.TransportTimeoutError(SECRET), 504, {}),
    (pba.WaitTimeoutError(SECRET), 504, {}),
    *((cls(SECRET), 502, {}) for cls in (pba.TransportError, pba.TLSError, pba.PaginationLoopError)),
    *((cls(SECRET), 502, {}) for cls in (pba.WaitFailedError, pba.IncompleteListingError)),
    *((cls(SECRET, status=418), 502, {}) for cls in (pba.ApiError, pba.UnexpectedRedirectError)),
    (api(pba.ServiceError, 503, retry_after=5), 502, {}),
    (api(pba.ServiceError, 500, "UNKNOWN"), 502, {"callers_key": True}),
    (pba.ResponseParsingError(SECRET, excerpt=SECRET, problems=[("$", SECRET)]), 502, {}),
    (pba.ClientClosedError(SECRET), 503, {}),
    # A refused key is the service's own, unless it came with the request.
    (UNAUTHORIZED, 502, {}),
    (PLAIN_401, 502, {}),
    (FORBIDDEN, 502, {"url": "/at/home"}),
    (BAD_KEY, 500, {}),
    # A proxy or a firewall blames nobody: what it sends is not the service's error object.
    (api(pba.UnauthorizedError, 401, message="<html>401"), 502, {"callers_key": True}),
    (api(pba.ForbiddenError, 403, message="<html>Invalid API key"), 502, {"callers_key": True}),
    (api(pba.InvalidRequestError, 400, pagination_token="t=="), 502, {"url": "/?token=t%3D%3D"}),
    (api(pba.NotFoundError, 404), 502, {"url": "/at/home"}),
    (api(pba.NotFoundError, 404, "OUT_OF_RANGE"), 502, {"url": "/at/home"}),
    (api(pba.ConflictError, 409), 502, {"url": "/at/home"}),
    (api(pba.FailedPreconditionError, 412), 502, BODY),
    # Nothing in the request can be what was refused.
    (NOT_FOUND, 502, {}),
    (NOT_FOUND, 502, BODY),
    (TAKEN, 502, {}),
    (NOT_READY, 502, {"method": "POST"}),
    (TOKEN, 502, {"url": "/?token=other"}),
    (api(pba.InvalidRequestError, 400, "INVALID_ARGUMENT"), 502, {"url": "/at/home"}),
    # Settings of the service.
    (refused_by(lambda: pba.BackupsClient(KEY, timeout=-1.5)), 500, {}),
    (refused_by(lambda: CLIENT.list_backups(timeout=-1.5)), 500, {"url": "/?timeout=-1.5"}),
    (refused_by(lambda: CLIENT.list_backups(attempt_timeout=0)), 500, {"callers_key": True}),
    (refused_by(lambda: pba.RetryPolicy(attempts=0)), 500, {}),
    (pba.ConfigurationError(SECRET), 500, {}),
    (pba.ConfigurationError(SECRET, argument="base_url"), 500, {"callers_key": True}),
]


THE_CALLERS: list[tuple[Exception, int, dict[str, Any]]] = [
    (UNAUTHORIZED, 401, {"callers_key": True}),
    (PLAIN_401, 401, {"callers_key": True}),
    (FORBIDDEN, 401, {"callers_key": True}),
    (BAD_KEY, 401, {"callers_key": True}),
    (NOT_FOUND, 404, {"url": "/at/home"}),
    (NOT_FOUND, 404, {"url": "/?backup=b1"}),
    (TAKEN, 409, {"url": "/at/home"}),
    (TAKEN, 409, BODY),
    (NOT_READY, 412, {"method": "DELETE", "url": "/?backup=b1"}),
    (NOT_READY, 412, BODY),
    (TOKEN, 422, {"url": "/?token=t%3D%3D"}),
    (TOKEN, 422, {"url": "/at/t%3D%3D"}),
    (refused_by(lambda: CLIENT.list_backups(limit=101)), 422, {}),
    (refused_by(lambda: CLIENT.list_backups(pagination_token="")), 422, {}),
    (refused_by(lambda: CLIENT.list_backups(max_items=-1)), 422, {}),
    (refused_by(lambda: CLIENT.list_backups(limit="api_key")), 422, {"callers_key": True}),  # type: ignore[arg-type]
    (pba.ConfigurationError("name must be a str", argument="name"), 422, BODY),
]


@pytest.mark.parametrize(
    ("error", "status", "request_"), NOT_THE_CALLERS + THE_CALLERS, ids=lambda value: type(value).__name__
)
async def test_whom_a_status_blames(
    error: Exception, status: int, request_: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """What the caller caused is 4xx and says why. All else is 5xx, is logged, and shows no value of the service's."""
    answer = await answer_to(error, **request_)
    assert (answer.status_code, answer.json()["error"]) == (status, type(error).__name__)
    assert answer.headers.get("www-authenticate") == ("APIKey" if status == 401 else None)
    if isinstance(error, pba.ConfigurationError) and status == 422:
        assert answer.json()["detail"] == str(error)
    logged = [vars(record) for record in caplog.records if record.name == "pinecone_backups_async"]
    expected = [(logging.WARNING, status, type(error).__name__)] if status >= 500 else []
    assert [(each["levelno"], each["pinecone_status"], each["pinecone_error"]) for each in logged] == expected
    assert not [text for text in (KEY, "-1.5") if text in caplog.text + answer.text]


@pytest.mark.parametrize(
    ("wait", "header"), [(1.2, "2"), (0.0, "0"), (float("inf"), None), (float("nan"), None), (None, None)]
)
async def test_retry_after_is_whole_seconds(wait: float | None, header: str | None) -> None:
    answer = await answer_to(api(pba.RateLimitError, 429, retry_after=wait))
    assert answer.headers.get("retry-after") == header


@pytest.mark.parametrize(
    "error",
    [
        pba.TransportTimeoutError(SECRET, outcome_unknown=True),
        pba.ClientClosedError(SECRET, outcome_unknown=True),
        api(pba.ServiceError, 503, "UNAVAILABLE", outcome_unknown=True, retry_after=5),
    ],
)
async def test_an_unknown_outcome_invites_no_retry(error: Exception) -> None:
    answer = await answer_to(error, url="/at/home")
    assert (answer.status_code, answer.json()["outcome_unknown"]) == (500, True)
    assert answer.json()["detail"] == "It may have happened: look before you repeat."
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("code", ["UNKNOWN", "MADE_UP", "<script>"])
async def test_a_problem_has_what_support_asks_for(code: str) -> None:
    """A code goes out only if the specification knows it."""
    answer = await answer_to(api(pba.ServiceError, 500, code, request_id="req-7"))
    assert answer.json() == {
        "type": "about:blank",
        "title": "Bad Gateway",
        "status": 502,
        "detail": "The backups service failed.",
        "error": "ServiceError",
        **({"code": code} if code == "UNKNOWN" else {}),
        "request_id": "req-7",
    }


async def test_log_records_of_any_factory(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A factory of the application may set any attribute that does not begin with our prefix."""
    real = logging.getLogRecordFactory()

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = real(*args, **kwargs)
        vars(record).update(dict.fromkeys(("status", "code", "error", "request_id", "attempt"), "the application's"))
        return record

    monkeypatch.setattr(logging, "_logRecordFactory", factory)
    answer = await answer_to(api(pba.ServiceError, 500, "UNKNOWN", request_id="req-7"))
    assert answer.status_code == 502
    record = vars(next(record for record in caplog.records if record.name == "pinecone_backups_async"))
    assert (record["pinecone_code"], record["pinecone_request_id"]) == ("UNKNOWN", "req-7")


async def on_a_websocket(error: Exception, *, before: str, extensions: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is sent to a websocket whose handler does something and then raises the error."""
    app = FastAPI()
    install_error_handlers(app)

    @app.websocket("/")
    async def fail(socket: WebSocket) -> None:
        if before:
            await socket.accept()
        if before == "close":
            await socket.close()
        if before == "disconnect":
            with pytest.raises(WebSocketDisconnect):
                await socket.receive_text()
        raise error

    sent = await sent_to_websocket(app, extensions=extensions)
    assert KEY not in repr(sent)
    return sent


LONG = pba.ConfigurationError(f"limit {'é' * 100}", argument="limit")


@pytest.mark.parametrize(
    ("error", "reason"),
    [(pba.TransportTimeoutError(SECRET), SLOW), (LONG, f"limit {'é' * 58}")],
)
async def test_a_websocket_is_closed_with_a_reason(error: Exception, reason: str) -> None:
    """A reason has at most 123 bytes, and no character is cut in two."""
    sent = await on_a_websocket(error, before="accept", extensions={})
    assert sent[1:] == [{"type": "websocket.close", "code": 1011, "reason": reason}]
    assert len(reason.encode()) <= 123


@pytest.mark.parametrize("before", ["close", "disconnect"])
async def test_a_closed_websocket_stays_closed(before: str, caplog: pytest.LogCaptureFixture) -> None:
    sent = await on_a_websocket(pba.TransportTimeoutError(SECRET), before=before, extensions={})
    assert len(sent) == (2 if before == "close" else 1)
    assert "TransportTimeoutError" in caplog.text


async def test_a_websocket_that_was_not_accepted() -> None:
    """It gets an HTTP response, or where the server cannot send one, a close."""
    error = pba.TransportTimeoutError(SECRET)
    response, _ = await on_a_websocket(error, before="", extensions={"websocket.http.response": {}})
    assert (response["type"], response["status"]) == ("websocket.http.response.start", 504)
    assert await on_a_websocket(error, before="", extensions={}) == [
        {"type": "websocket.close", "code": 1011, "reason": SLOW}
    ]
