"""The HTTP contract without I/O: what is asked, and what each answer means."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

import pinecone_backups_async as sdk
from pinecone_backups_async import ApiError, BackupPage, ResponseParsingError
from pinecone_backups_async._endpoints import CREATE_BACKUP, LIST_PROJECT_BACKUPS
from pinecone_backups_async._protocol import Endpoint, Protocol, Response
from tests.support.samples import page_body, row

KEY = "pcsk_key-of-the-protocol-tests"
NOW = dt.datetime(2026, 4, 1, 12, 0, 0, tzinfo=dt.UTC)
PROTOCOL = Protocol("https://api.example", {}, [KEY], None, lambda: NOW)
DELETE = Endpoint("delete", "DELETE", "/things/{thing}", bytes, {202, 204})


def response(status: int, body: bytes | dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, CIMultiDict(headers or {}), content)


def read(status: int, body: bytes | dict[str, Any], headers: dict[str, str] | None = None) -> BackupPage:
    return PROTOCOL.read(LIST_PROJECT_BACKUPS, response(status, body, headers))


def api_error(status: int, body: bytes | dict[str, Any], headers: dict[str, str] | None = None) -> ApiError:
    with pytest.raises(ApiError) as caught:
        read(status, body, headers)
    return caught.value


def error_body(code: str, message: str = "It failed.", **more: Any) -> dict[str, Any]:
    return {"status": 500, "error": {"code": code, "message": message, **more}}


def test_a_request() -> None:
    headers = Protocol.headers_of("aiohttp/9", {"X-Team": "search"}, "2026-04")
    protocol = Protocol("https://api.example/prefix", headers, [KEY])
    request = protocol.request(LIST_PROJECT_BACKUPS, query={"limit": 7, "other": None})
    assert (request.method, request.url, request.body) == ("GET", "https://api.example/prefix/backups?limit=7", None)
    assert protocol.request(LIST_PROJECT_BACKUPS).url == "https://api.example/prefix/backups"
    agent = request.headers["User-Agent"]
    assert dict(request.headers) == {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": agent,
        "X-Pinecone-Api-Version": "2026-04",
        "X-Team": "search",
    }
    assert agent.startswith(f"pinecone-backups-async/{sdk.__version__} Python/3.")
    assert agent.endswith(" aiohttp/9")
    assert KEY not in repr(protocol) + repr(request)
    assert "search" not in repr(protocol) + repr(request)


def test_W12_a_request_hides_its_body() -> None:
    body = {"name": "CANARY \u00fc", "description": None}
    request = PROTOCOL.request(CREATE_BACKUP, path={"index_name": "a"}, body=body)
    assert request.body == b'{"name": "CANARY \\u00fc"}'
    assert request.headers["Content-Type"] == "application/json"
    assert "CANARY" not in repr(request)
    assert PROTOCOL.request(CREATE_BACKUP, path={"index_name": "a"}, body={"name": None}).body == b"{}"


def test_an_additional_header_replaces_a_default() -> None:
    headers = Protocol.headers_of("aiohttp/9", {"user-agent": "mine"}, "2026-04")
    assert [name for name in headers if name.lower() == "user-agent"] == ["user-agent"]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_tokens_and_segments_are_encoded_once(text: str) -> None:
    url = PROTOCOL.request(LIST_PROJECT_BACKUPS, query={"paginationToken": text}).url
    assert url.isascii()
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)
    assert pairs == [("paginationToken", text)]
    path = PROTOCOL.request(DELETE, path={"thing": text}).url.removeprefix("https://api.example/things/")
    assert unquote(path) == text
    assert not set(path) & set("/?#;")


@pytest.mark.parametrize(
    ("segment", "encoded"), [("a/b", "a%2Fb"), ("a?b", "a%3Fb"), ("%2e", "%252e"), ("ü", "%C3%BC"), ("..a", "..a")]
)
def test_segments_by_example(segment: str, encoded: str) -> None:
    assert PROTOCOL.request(DELETE, path={"thing": segment}).url == f"https://api.example/things/{encoded}"


@pytest.mark.parametrize(("headers", "request_id"), [
    ({"X-Request-Id": "r1"}, "r1"),
    ({"x-request-id": "proxy", "X-Pinecone-Request-Id": "service"}, "service"),
    ({"X-Pinecone-Request-Id": "", "X-Request-Id": "r2"}, "r2"),
    ({"X-Pinecone-Request-Id": "", "X-Request-Id": ""}, None), ({}, None),
])  # fmt: skip
def test_the_services_own_request_id_comes_first(headers: dict[str, str], request_id: str | None) -> None:
    """An empty one is an absent one."""
    page = read(200, page_body(row("b1"), next_token="t2"), headers)
    assert ([backup.backup_id for backup in page.data], page.next_token, page.request_id) == (["b1"], "t2", request_id)
    assert str(api_error(500, b"", headers)).startswith("500: " if request_id is None else f"[{request_id}] 500: ")


@pytest.mark.parametrize("code", list(sdk.ErrorCode))
def test_the_documented_error_with_each_code(code: str) -> None:
    details = {"trace": ["a", 1, None]}
    error = api_error(500, error_body(code, details=details), {"X-Request-Id": "r1"})
    assert (error.code, error.message, error.details, error.request_id) == (code, "It failed.", details, "r1")
    assert str(error) == f"[r1] 500 {code}: It failed."


@pytest.mark.parametrize(("body", "message"), [
    (b"Invalid API key", "Invalid API key"), (b"", "the response had no error message"),
    (b'{"error": "boom"}', '{"error": "boom"}'), (b'{"message": "slow down"}', "slow down"),
    (b'{"detail": "not here", "error": 5}', "not here"), (b"[1]", "[1]"),
    (b'{"error": {"message": 5}}', "the response had no error message"),
    (b"two\nlines\x1b[31m\xff", "two\\nlines\\x1b[31m\ufffd"),
])  # fmt: skip
def test_other_error_bodies_are_shown_as_text(body: bytes, message: str) -> None:
    assert api_error(401, body).message == message


def test_an_invalid_page_shows_its_problems() -> None:
    with pytest.raises(ResponseParsingError) as caught:
        read(200, page_body(row(cloud=None, description=f"{KEY}\x1b" * 100)), {"X-Request-Id": "r1"})
    error = caught.value
    assert error.problems == (("$.data[0].cloud", "expected str, got null"),)
    assert str(error) == "[r1] the response is not a page of backups: $.data[0].cloud: expected str, got null"
    assert len(error.excerpt) == 500
    assert KEY not in error.excerpt


def test_server_text_is_cut_and_masked() -> None:
    headers = {"X-Request-Id": f"r-{KEY}"}
    deep: list[Any] = [KEY]
    for _ in range(30):
        deep = [deep]
    details = {f"{KEY}\n": [f"-{KEY}-", 5, "x" * 900], "deep": deep}
    error = api_error(500, error_body(KEY, f"{KEY} " * 400, details=details), headers)
    assert KEY not in repr(vars(error)) + str(error) + repr(error.args)
    assert (error.code, error.request_id) == ("***", "r-***")
    assert error.message.startswith("*** *** ")
    assert len(error.message) == 500
    assert error.details["***\\n"] == ["-***-", 5, "x" * 500]


DATE = "Wed, 01 Apr 2026 11:00:00 GMT"
RETRY_AFTER: dict[tuple[str | None, str | None], float | None] = {
    **{(text, None): float(text) for text in ("2", "0", " 3 ", "3600", "1" + "0" * 34, "9" * 5000, "1.5", "2.0")},
    ("2, 2", None): 2.0, ("2, 5.5,3", None): 5.5, ("2, 3", None): 3.0,
    **{(text, None): None for text in ("-1", ".5", "2, x", "x", "", "nan", "inf", "1e999", "٣")},
    ("Wed, 01 Apr 2026 11:00:03 GMT", DATE): 3.0, ("Wed, 01 Apr 2026 12:00:03 GMT", None): 3.0,
    ("Wed, 01 Apr 2026 12:00:03 GMT", "garbage"): 3.0, ("Wed, 01 Apr 2026 12:00:03 -0000", None): 3.0,
    ("Wed, 01 Apr 2026 10:00:00 GMT", DATE): 0.0, ("Wed, 01 Apr 100000 10:00:00 GMT", DATE): None, (None, DATE): None,
    **{(text, None): None for text in (
        "Wed, 01 Apr 2026 12:00:03 GMT, 30", "01 Apr 2026 12:00:03 GMT", "2026-04-01T12:00:03Z", "Apr 1 2026",
        "tomorrow", "Wed, 99 Apr 2026 12:00:03 GMT",
    )},
}  # fmt: skip


@pytest.mark.parametrize(("retry_after", "date"), RETRY_AFTER)
def test_retry_after_is_numbers_or_a_date(retry_after: str | None, date: str | None) -> None:
    """Of a list the largest counts; a date counts from the service's own; anything else is ignored."""
    sent = {name: value for name, value in {"Retry-After": retry_after, "Date": date}.items() if value is not None}
    assert api_error(503, b"", sent).retry_after == RETRY_AFTER[retry_after, date]


def test_without_a_date_the_machines_clock_counts() -> None:
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=100)
    headers = {"Retry-After": moment.strftime("%a, %d %b %Y %H:%M:%S GMT")}
    with pytest.raises(ApiError) as caught:
        Protocol("https://api.example", {}, [KEY]).read(LIST_PROJECT_BACKUPS, response(503, b"", headers))
    assert caught.value.retry_after is not None
    assert 90 < caught.value.retry_after <= 100


@pytest.mark.parametrize("status", [200, 201])
def test_a_success_too_large_to_read_is_an_error(status: int) -> None:
    with pytest.raises(sdk.ResponseTooLargeError, match="exceeds 2 MiB") as caught:
        PROTOCOL.read(CREATE_BACKUP, Response(status, CIMultiDict({"X-Request-Id": "req-1"}), b"", too_large=True))
    assert caught.value.request_id == "req-1"


@pytest.mark.parametrize("status", [200, 201, 203, 299])
def test_only_the_statuses_of_an_endpoint_succeed(status: int) -> None:
    with pytest.raises(ApiError) as caught:
        PROTOCOL.read(DELETE, response(status, b""))
    assert caught.value.status == status
    assert PROTOCOL.read(DELETE, response(202, b"")) == b""


@pytest.mark.parametrize("key", ["A", "Q", "UO", "data", "expected str"])
def test_decisions_come_before_masking(key: str) -> None:
    """A key that is a part of a code or of our own words changes neither."""
    protocol = Protocol("https://api.example", {}, [key])
    with pytest.raises(ApiError) as caught:
        protocol.read(LIST_PROJECT_BACKUPS, response(429, error_body("QUOTA_EXCEEDED")))
    assert caught.value.code == "QUOTA_EXCEEDED"
    with pytest.raises(ResponseParsingError) as parsing:
        protocol.read(LIST_PROJECT_BACKUPS, response(200, page_body(row(cloud=None))))
    assert parsing.value.problems == (("$.data[0].cloud", "expected str, got null"),)
    assert str(parsing.value).endswith("$.data[0].cloud: expected str, got null")


@pytest.mark.parametrize(("status", "shown"), [(401, True), (403, False)])
def test_a_refused_key_names_its_source(status: int, shown: bool) -> None:
    protocol = Protocol("https://api.example", {}, [KEY], "PINECONE_API_KEY")
    with pytest.raises(ApiError) as caught:
        protocol.read(LIST_PROJECT_BACKUPS, response(status, b"Invalid API key"))
    assert caught.value.message == "Invalid API key"
    assert str(caught.value).endswith(" (the key came from PINECONE_API_KEY)") == shown
