"""The HTTP contract without I/O: what is asked, and what each answer means."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict

import pinecone_backups_async as sdk
from pinecone_backups_async import ApiError, BackupPage, ResponseParsingError
from pinecone_backups_async._endpoints import CREATE_BACKUP, LIST_PROJECT_BACKUPS
from pinecone_backups_async._protocol import MAX_DETAILS, Endpoint, Protocol, Response
from tests.support.samples import page_body, row

KEY = "pcsk_key-of-the-protocol-tests"
HEADERS = Protocol.headers_of("aiohttp/9", {"x-team": "search", "accept": "text/json"}, "2026-04")
PROTOCOL = Protocol("https://api.example/prefix", HEADERS, [KEY])
DELETE = Endpoint("delete", "DELETE", "/things/{thing}", bytes, {202, 204})
Body: TypeAlias = bytes | dict[str, Any]


def read(
    status: int, body: Body, headers: dict[str, str] | None = None, *, protocol: Protocol = PROTOCOL
) -> BackupPage:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return protocol.read(LIST_PROJECT_BACKUPS, Response(status, CIMultiDict(headers or {}), content))


def api_error(status: int, body: Body = b"", headers: dict[str, str] | None = None, **more: Protocol) -> ApiError:
    with pytest.raises(ApiError) as caught:
        read(status, body, headers, **more)
    return caught.value


def error_body(code: str, message: str = "It failed.", **more: Any) -> dict[str, Any]:
    return {"status": 500, "error": {"code": code, "message": message, **more}}


def test_a_request() -> None:
    """An additional header replaces a default one."""
    request = PROTOCOL.request(LIST_PROJECT_BACKUPS, {}, {"limit": 7, "other": None}, {})
    assert (request.method, request.url, request.body) == ("GET", "https://api.example/prefix/backups?limit=7", None)
    assert PROTOCOL.request(LIST_PROJECT_BACKUPS, {}, {}, {}).url == "https://api.example/prefix/backups"
    agent = request.headers["User-Agent"]
    assert dict(request.headers) == {
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": agent,
        "X-Pinecone-Api-Version": "2026-04",
        "accept": "text/json",
        "x-team": "search",
    }
    assert agent.startswith(f"pinecone-backups-async/{sdk.__version__} Python/3.")
    assert agent.endswith(" aiohttp/9")
    assert not {KEY, "search"} & set((repr(PROTOCOL) + repr(request)).split("'"))


def test_W12_a_request_hides_its_body() -> None:
    request = PROTOCOL.request(CREATE_BACKUP, {"index_name": "a"}, {}, {"name": "CANARY \u00fc", "description": None})
    assert request.body == b'{"name": "CANARY \\u00fc"}'
    assert request.headers["Content-Type"] == "application/json"
    assert "CANARY" not in repr(request)
    assert PROTOCOL.request(CREATE_BACKUP, {"index_name": "a"}, {}, {"name": None}).body == b"{}"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
@example("a/b?c#d;e&f=g+h %2e\u00fc..")
def test_W11_tokens_and_segments_are_encoded_once(text: str) -> None:
    url = PROTOCOL.request(DELETE, {"thing": text}, {"paginationToken": text}, {}).url
    assert url.isascii()
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)
    assert pairs == [("paginationToken", text)]
    segment = urlsplit(url).path.removeprefix("/prefix/things/")
    assert unquote(segment) == text
    assert not set(segment) & set("/?#;+")


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
    (b'{"error": {"message": 5, "code": {}}}', "the response had no error message"),
    (b"two\nlines\x1b[31m\xff", "two\\nlines\\x1b[31m\ufffd"),
])  # fmt: skip
def test_other_error_bodies_are_shown_as_text(body: bytes, message: str) -> None:
    assert api_error(401, body).message == message


@pytest.mark.parametrize("key", [KEY, "A", "Q", "UO", "data"])
def test_decisions_come_before_masking(key: str) -> None:
    """A key that is a part of a code or of our own words changes neither."""
    protocol = Protocol("https://api.example", {}, [key])
    assert api_error(429, error_body("QUOTA_EXCEEDED"), protocol=protocol).code == "QUOTA_EXCEEDED"
    body = page_body(row(cloud=None, description="\x1b" * 900, schema={"fields": {KEY: {"type": 5}}}))
    with pytest.raises(ResponseParsingError) as caught:
        read(200, body, {"X-Request-Id": "r1"}, protocol=protocol)
    error, name = caught.value, "***" if key == KEY else KEY
    path, typed = "$.data[0].cloud", f"$.data[0].schema.fields['{name}'].type"
    assert error.problems == ((path, "expected str, got null"), (typed, "expected str, got int"))
    told = f"{path}: expected str, got null; {typed}: expected str, got int"
    assert str(error) == f"[r1] the response is invalid: {told}"
    assert 490 < len(error.excerpt) <= 500


def test_server_text_is_cut_and_masked() -> None:
    error = api_error(500, error_body(KEY, f"{KEY} " * 100, details={"a": [KEY]}), {"X-Request-Id": f"r-{KEY}"})
    assert KEY not in repr(vars(error)) + str(error) + repr(error.args)
    assert (error.code, error.request_id) == ("***", "r-***")
    assert error.message.startswith("*** *** ")
    assert error.details is None
    assert api_error(500, error_body("UNKNOWN", "Many.", details=["a"] * MAX_DETAILS)).details is None


RETRY_AFTER: dict[str | None, float | None] = {
    **{text: float(text) for text in ("2", "0", " 3 ", "3600", "1" + "0" * 34, "9" * 5000, "1.5", "2.0")},
    "2, 2": 2.0, "2, 5.5,3": 5.5, "2, 3": 3.0,
    **dict.fromkeys([
        None, "-1", ".5", "2, x", "x", "", "nan", "inf", "1e999", "٣", "2026-04-01T12:00:03Z", "Apr 1 2026", "0\x1f",
        "Wed, 99 Apr 2026 12:00:03 GMT", "Wed, 01 Apr 100000 10:00:00 GMT",
    ]),
    "Wed, 01 Apr 2026 12:00:03 GMT": 3.0, "Wed, 01 Apr 2026 12:00:03 -0000": 3.0,
    "Wednesday, 01-Apr-26 12:00:03 GMT": 3.0, "Wed Apr  1 12:00:03 2026": 3.0, "Wed, 01 Apr 2026 11:00:00 GMT": 0.0,
}  # fmt: skip


@pytest.mark.parametrize("retry_after", RETRY_AFTER)
def test_retry_after_is_numbers_or_a_date(retry_after: str | None) -> None:
    """Of a list the largest counts; a date counts from the service's own; anything else is ignored."""
    sent = {"Date": "Wed, 01 Apr 2026 12:00:00 GMT"} | ({} if retry_after is None else {"Retry-After": retry_after})
    assert api_error(503, b"", sent).retry_after == RETRY_AFTER[retry_after]


@pytest.mark.parametrize("date", [{}, {"Date": "garbage"}])
def test_without_a_date_the_machines_clock_counts(date: dict[str, str]) -> None:
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=100)
    error = api_error(503, b"", {"Retry-After": moment.strftime("%a, %d %b %Y %H:%M:%S GMT"), **date})
    assert 90 < (error.retry_after or 0) <= 100


@pytest.mark.parametrize("status", [200, 201])
def test_a_success_too_large_to_read_is_an_error(status: int) -> None:
    with pytest.raises(sdk.ResponseTooLargeError, match="exceeds 2 MiB") as caught:
        PROTOCOL.read(CREATE_BACKUP, Response(status, CIMultiDict({"X-Request-Id": "req-1"}), b"", too_large=True))
    assert caught.value.request_id == "req-1"


@pytest.mark.parametrize("status", [200, 201, 203, 299])
def test_only_the_statuses_of_an_endpoint_succeed(status: int) -> None:
    with pytest.raises(ApiError) as caught:
        PROTOCOL.read(DELETE, Response(status, {}, b""))
    assert caught.value.status == status
    assert PROTOCOL.read(DELETE, Response(202, {}, b"")) == b""


@pytest.mark.parametrize(("status", "shown"), [(401, True), (403, False)])
def test_a_refused_key_names_its_source(status: int, shown: bool) -> None:
    error = api_error(
        status, b"Invalid API key", protocol=Protocol("https://api.example", {}, [KEY], "the environment")
    )
    assert error.message == "Invalid API key"
    assert str(error).endswith(" (the key came from the environment)") == shown
