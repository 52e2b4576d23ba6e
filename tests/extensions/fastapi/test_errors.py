"""Which answer each error becomes: problem+json that is honest about whose fault it is, and shows no secret."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, WebSocket

import pinecone_backups_async as pba
from pinecone_backups_async.fastapi import install_error_handlers, request_client

KEY = "pcsk_key-of-the-fastapi-tests"
SECRET = f"the service quotes {KEY}, and what it likes"


async def answer_to(error: Exception, *, url: str = "/at/home", callers_key: bool = False) -> httpx.Response:
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/at/{place}")
    async def fail(request: Request, place: str) -> None:
        if callers_key:
            async with request_client(request, KEY):
                raise error
        raise error

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as http:
        return await http.get(url)


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (pba.RateLimitError(SECRET, status=429, retry_after=1.2), 503, "2"),
        (pba.RateLimitError(SECRET, status=429, retry_after=0.0), 503, "0"),
        (pba.RateLimitError(SECRET, status=429, retry_after=float("inf")), 503, None),
        (pba.RateLimitError(SECRET, status=429), 503, None),
        (pba.RateLimitError(SECRET, status=429, code="QUOTA_EXCEEDED", retry_after=5), 502, None),
        (pba.ForbiddenError(SECRET, status=403, code="QUOTA_EXCEEDED"), 502, None),
        (pba.TransportTimeoutError(SECRET), 504, None),
        (pba.TransportError(SECRET), 502, None),
        (pba.TLSError(SECRET), 502, None),
        (pba.ServiceError(SECRET, status=503, retry_after=5), 502, None),
        (pba.ApiError(SECRET, status=418), 502, None),
        (pba.NotFoundError(SECRET, status=404), 502, None),
        (pba.UnexpectedRedirectError(SECRET, status=302), 502, None),
        (pba.UnauthorizedError(SECRET, status=401), 502, None),
        (pba.ForbiddenError(SECRET, status=403), 502, None),
        (pba.InvalidRequestError(SECRET, status=400), 502, None),
        (pba.ResponseParsingError(SECRET, excerpt=SECRET, problems=[("$", SECRET)]), 502, None),
        (pba.PaginationLoopError(SECRET), 502, None),
        (pba.IncompleteListingError(SECRET), 502, None),
        (pba.ClientClosedError(SECRET), 503, None),
    ],
)
async def test_what_is_not_the_callers_doing_is_5xx_and_logged(
    error: Exception, status: int, retry_after: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await answer_to(error)
    problem = answer.json()
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry_after)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["type"], problem["status"], problem["error"]) == ("about:blank", status, type(error).__name__)
    (logged,) = [record for record in caplog.records if record.name == "pinecone_backups_async"]
    assert (logged.levelno, vars(logged)["status"]) == (logging.WARNING, status)
    assert KEY not in answer.text + caplog.text


async def test_a_problem_tells_what_support_asks_for() -> None:
    answer = await answer_to(pba.ServiceError(SECRET, status=500, code="UNKNOWN", request_id="req-7"))
    assert answer.json() == {
        "type": "about:blank",
        "title": "Bad Gateway",
        "status": 502,
        "detail": "The backups service failed.",
        "error": "ServiceError",
        "code": "UNKNOWN",
        "request_id": "req-7",
    }


@pytest.mark.parametrize(
    "error",
    [
        pba.UnauthorizedError(SECRET, status=401),
        pba.ForbiddenError(SECRET, status=403),
        pba.ConfigurationError("api_key must have 1 to 512 characters"),
    ],
)
async def test_a_key_that_came_with_the_request_is_refused_as_the_callers(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await answer_to(error, callers_key=True)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "APIKey")
    assert KEY not in answer.text
    assert not caplog.records


async def test_with_the_callers_key_other_errors_stay_what_they_are() -> None:
    assert (await answer_to(pba.ServiceError("down", status=500), callers_key=True)).status_code == 502
    assert (await answer_to(pba.ConfigurationError("limit must be an int"), callers_key=True)).status_code == 422


async def test_a_quota_that_is_used_up_is_no_fault_of_the_callers_key() -> None:
    answer = await answer_to(pba.ForbiddenError(SECRET, status=403, code="QUOTA_EXCEEDED"), callers_key=True)
    assert (answer.status_code, answer.json()["detail"]) == (502, "The backups service says that a quota is used up.")


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_websocket_is_closed_with_the_reason_and_one_not_accepted_is_refused(accepted: bool) -> None:
    app = FastAPI()
    install_error_handlers(app)
    sent: list[Any] = []

    @app.websocket("/")
    async def fail(socket: WebSocket) -> None:
        if accepted:
            await socket.accept()
        raise pba.TransportTimeoutError(SECRET)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    extensions: dict[str, Any] = {"websocket.http.response": {}}
    scope: dict[str, Any] = {
        "type": "websocket",
        "path": "/",
        "headers": [],
        "query_string": b"",
        "extensions": extensions,
    }
    await app(scope, receive, send)
    if accepted:
        told = {"type": "websocket.close", "code": 1011, "reason": "The backups service did not answer in time."}
        assert sent[1:] == [told]
    else:
        assert [message["type"] for message in sent] == [
            "websocket.http.response.start",
            "websocket.http.response.body",
        ]
        assert sent[0]["status"] == 504
    assert KEY not in repr(sent)


def refused_by(make: Any) -> pba.ConfigurationError:
    with pytest.raises(pba.ConfigurationError) as caught:
        make()
    return caught.value


CLIENT = pba.BackupsClient(KEY)


@pytest.mark.parametrize(
    "error",
    [
        refused_by(lambda: CLIENT.list_backups(limit=101)),
        refused_by(lambda: CLIENT.list_backups(pagination_token="")),
        refused_by(lambda: CLIENT.list_backups(max_items=-1)),
        refused_by(lambda: CLIENT.list_backups(timeout=0)),
        refused_by(lambda: CLIENT.list_backups(limit="api_key")),  # type: ignore[arg-type]
    ],
    ids=str,
)
@pytest.mark.parametrize("callers_key", [False, True])
async def test_an_argument_that_is_not_allowed_is_the_callers(error: Exception, callers_key: bool) -> None:
    answer = await answer_to(error, callers_key=callers_key)
    assert (answer.status_code, answer.json()["detail"]) == (422, str(error))


@pytest.mark.parametrize(
    "error",
    [
        refused_by(lambda: pba.BackupsClient("")),
        refused_by(lambda: pba.BackupsClient(KEY, base_url="http://example.com")),
        refused_by(lambda: pba.BackupsClient(KEY, additional_headers={"Api-Key": KEY})),
        refused_by(lambda: pba.BackupsClient(KEY, proxy="nowhere")),
        refused_by(lambda: pba.BackupsClient(KEY, connector=1)),  # type: ignore[arg-type]
    ],
    ids=str,
)
async def test_a_setting_that_is_not_allowed_is_the_services_own(error: Exception) -> None:
    answer = await answer_to(error)
    assert (answer.status_code, answer.json()["detail"]) == (500, "This service is not configured properly.")


@pytest.mark.parametrize(
    ("url", "status"), [("/at/home?token=t%3D%3D", 422), ("/at/t%3D%3D", 422), ("/at/home?token=other", 502)]
)
async def test_a_refused_token_is_the_callers_where_it_came_in_the_url(url: str, status: int) -> None:
    error = pba.InvalidRequestError(SECRET, status=400, pagination_token="t==")
    answer = await answer_to(error, url=url)
    assert answer.status_code == status
    assert KEY not in answer.text
