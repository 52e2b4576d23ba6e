"""The HTTP contract without I/O: what is asked, and what each answer means."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

import pinecone_backups_async as door
from pinecone_backups_async import ApiError, BackupPage, ResponseParsingError
from pinecone_backups_async._protocol import BackupsProtocol
from pinecone_backups_async._settings import Secret
from tests.support.samples import page_body, row

KEY = "pcsk_key-of-the-protocol-tests"
NOW = dt.datetime(2026, 4, 1, 12, 0, 0, tzinfo=dt.UTC)
PROTOCOL = BackupsProtocol(base_url="https://api.example", api_key=Secret(KEY), headers={}, now=lambda: NOW)
FIRST = PROTOCOL.request(limit=100)
LATER = PROTOCOL.request(pagination_token="t")


def read(
    status: int, body: bytes | dict[str, Any], headers: dict[str, str] | None = None, request: Any = FIRST
) -> BackupPage:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return PROTOCOL.read(request, status, CIMultiDict(headers or {}), content)


def api_error(status: int, body: bytes | dict[str, Any], headers: dict[str, str] | None = None) -> ApiError:
    with pytest.raises(ApiError) as caught:
        read(status, body, headers)
    return caught.value


def error_body(code: str, message: str = "It failed.", **more: Any) -> dict[str, Any]:
    return {"status": 500, "error": {"code": code, "message": message, **more}}


def test_the_request_of_a_first_page() -> None:
    protocol = BackupsProtocol.at("https://api.example/prefix", Secret(KEY), "aiohttp/9", {"X-Team": "search"})
    request = protocol.request(limit=7)
    assert request.url == "https://api.example/prefix/backups?limit=7"
    assert protocol.request().url == "https://api.example/prefix/backups"
    agent = request.headers["User-Agent"]
    assert dict(request.headers) == {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": agent,
        "X-Pinecone-Api-Version": "2026-04",
        "X-Team": "search",
    }
    assert agent.startswith(f"pinecone-backups-async/{door.__version__} Python/3.")
    assert agent.endswith(" aiohttp/9")
    assert KEY not in repr(protocol) + repr(request)
    assert "search" not in repr(protocol) + repr(request)


def test_an_additional_header_replaces_a_default_of_the_same_name() -> None:
    protocol = BackupsProtocol.at("https://api.example", Secret(KEY), "aiohttp/9", {"user-agent": "mine"})
    assert [name for name in protocol.headers if name.lower() == "user-agent"] == ["user-agent"]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_token_is_encoded_exactly_once_whatever_it_holds_and_goes_without_a_limit(token: str) -> None:
    request = PROTOCOL.request(limit=50, pagination_token=token)
    assert request.url.isascii()
    assert parse_qsl(urlsplit(request.url).query, keep_blank_values=True, strict_parsing=True) == [
        ("paginationToken", token)
    ]
    assert request.pagination_token == token


def test_a_page() -> None:
    page = read(200, page_body(row("b1"), next_token="t2"), {"X-Request-Id": "r1"})
    assert ([backup.backup_id for backup in page.data], page.next_token, page.request_id) == (["b1"], "t2", "r1")


def test_the_services_own_request_id_comes_first() -> None:
    headers = {"x-request-id": "proxy", "X-Pinecone-Request-Id": "service"}
    assert read(200, page_body(), headers).request_id == "service"
    assert read(200, page_body()).request_id is None


@pytest.mark.parametrize("body", [{}, {"pagination": None}])
def test_absent_data_means_no_backups_only_on_the_first_page(body: dict[str, Any]) -> None:
    assert read(200, body).data == ()
    with pytest.raises(ResponseParsingError, match=r"\$\.data: required, but missing"):
        read(200, body, request=LATER)
    assert read(200, page_body(), request=LATER).data == ()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (204, "ApiError"), (206, "ApiError"), (300, "UnexpectedRedirectError"), (302, "UnexpectedRedirectError"),
        (304, "UnexpectedRedirectError"), (399, "UnexpectedRedirectError"), (400, "InvalidRequestError"), (401, "UnauthorizedError"),
        (402, "ApiError"), (403, "ForbiddenError"), (404, "NotFoundError"), (408, "ApiError"), (422, "InvalidRequestError"),
        (429, "RateLimitError"), (500, "ServiceError"), (503, "ServiceError"), (599, "ServiceError"),
    ],
)  # fmt: skip
def test_any_status_but_200_is_the_error_of_its_class_whatever_the_body(status: int, kind: str) -> None:
    for body in (b"", b"<html>", page_body(row())):
        error = api_error(status, body)
        assert (type(error).__name__, error.status, error.code) == (kind, status, None)


@pytest.mark.parametrize("code", list(door.ErrorCode))
def test_the_documented_error_object_with_each_of_its_codes(code: str) -> None:
    error = api_error(500, error_body(code, details={"trace": ["a", 1, None]}), {"X-Request-Id": "r1"})
    assert (error.code, error.message, error.details, error.request_id) == (
        code,
        "It failed.",
        {"trace": ["a", 1, None]},
        "r1",
    )
    assert str(error) == f"[r1] 500 {code}: It failed."


def test_the_documented_401_and_500() -> None:
    refused = api_error(401, {"status": 401, "error": {"code": "UNAUTHENTICATED", "message": "Invalid API key."}})
    failed = api_error(500, {"status": 500, "error": {"code": "UNKNOWN", "message": "Internal server error"}})
    assert (type(refused), str(refused)) == (door.UnauthorizedError, "401 UNAUTHENTICATED: Invalid API key.")
    assert (type(failed), str(failed)) == (door.ServiceError, "500 UNKNOWN: Internal server error")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"Invalid API key", "Invalid API key"),
        (b"", "the answer says no more"),
        (b'{"error": "boom"}', '{"error": "boom"}'),
        (b'{"error": {"message": 5}}', "the answer says no more"),
        (b"two\nlines\x1b[31m\xff", "two\\nlines\\x1b[31m\ufffd"),
    ],
)
def test_an_error_without_the_documented_object_is_told_by_its_text(body: bytes, message: str) -> None:
    assert api_error(401, body).message == message


def test_an_error_object_under_status_200_is_an_error_and_never_a_page() -> None:
    assert type(api_error(200, error_body("INTERNAL"))) is ApiError
    assert type(api_error(200, error_body("UNAVAILABLE"))) is door.ServiceError
    beside_data = {"data": [row()], **error_body("INTERNAL")}
    assert api_error(200, beside_data).status == 200


def test_a_200_that_is_no_page_shows_its_beginning_and_its_problems() -> None:
    with pytest.raises(ResponseParsingError) as caught:
        read(200, page_body(row(cloud=None, description=f"{KEY}\x1b" * 100)), {"X-Request-Id": "r1"})
    error = caught.value
    assert error.problems == (("$.data[0].cloud", "expected str, got null"),)
    assert str(error) == "[r1] the answer is not a page of backups: $.data[0].cloud: expected str, got null"
    assert len(error.excerpt) == 500
    assert KEY not in error.excerpt


def test_server_text_is_cut_in_one_line_and_without_the_key() -> None:
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


@pytest.mark.parametrize(
    ("retry_after", "date", "seconds"),
    [
        ("2", None, 2.0),
        ("0", None, 0.0),
        (" 3 ", None, 3.0),
        ("3600", None, 3600.0),
        ("1" + "0" * 34, None, 1e34),
        ("9" * 5000, None, float("inf")),
        ("-1", None, None),
        ("1.5", None, None),
        ("x", None, None),
        ("", None, None),
        ("nan", None, None),
        ("inf", None, None),
        ("1e999", None, None),
        ("2, 3", None, None),
        ("٣", None, None),
        ("Wed, 01 Apr 2026 11:00:03 GMT", DATE, 3.0),
        ("Wed, 01 Apr 2026 12:00:03 GMT", None, 3.0),
        ("Wed, 01 Apr 2026 12:00:03 GMT", "garbage", 3.0),
        ("Wed, 01 Apr 2026 12:00:03 -0000", None, 3.0),
        ("Wed, 01 Apr 2026 10:00:00 GMT", DATE, 0.0),
        ("Wed, 01 Apr 100000 10:00:00 GMT", DATE, None),
        (None, DATE, None),
    ],
)
def test_retry_after_is_digits_or_a_date_counted_from_the_answers_own(
    retry_after: str | None, date: str | None, seconds: float | None
) -> None:
    sent = {"Retry-After": retry_after, "Date": date}
    assert (
        api_error(503, b"", {name: value for name, value in sent.items() if value is not None}).retry_after == seconds
    )


def test_without_a_date_the_clock_of_this_machine_is_asked() -> None:
    protocol = BackupsProtocol.at("https://api.example", Secret(KEY), "aiohttp/9", {})
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=100)
    with pytest.raises(ApiError) as caught:
        protocol.read(FIRST, 503, {"Retry-After": moment.strftime("%a, %d %b %Y %H:%M:%S GMT")}, b"")
    assert caught.value.retry_after is not None
    assert 90 < caught.value.retry_after <= 100


@pytest.mark.parametrize("size", [40, 75, 394, 500, 511, 512])
def test_no_piece_of_a_key_that_fills_the_answer_is_shown(size: int) -> None:
    key = ("pcsk_" + "".join(f"{number:03}" for number in range(200)))[:size]
    protocol = BackupsProtocol(base_url="https://api.example", api_key=Secret(key), headers={})
    for ahead in range(0, size, 37):
        with pytest.raises(ApiError) as caught:
            protocol.read(FIRST, 500, CIMultiDict[str](), (b"." * ahead + key.encode() * 2000)[:65_536])
        assert key[:8] not in caught.value.message


def test_a_page_that_was_too_large_to_read_is_an_error_with_its_request_id() -> None:
    with pytest.raises(door.ResponseTooLargeError, match="exceeds 8 MiB") as caught:
        PROTOCOL.read(FIRST, 200, CIMultiDict({"X-Request-Id": "req-1"}), b"", too_large=True)
    assert caught.value.request_id == "req-1"


def test_a_body_of_too_many_values_is_an_error_with_its_request_id() -> None:
    with pytest.raises(door.ResponseTooLargeError, match="100,000 values") as caught:
        read(200, b'{"error":[' + b"1," * 200_000 + b"1]}", {"X-Request-Id": "req-1"})
    assert (caught.value.request_id, caught.value.excerpt) == ("req-1", "")


def test_an_empty_request_id_does_not_hide_the_other_one() -> None:
    assert api_error(500, b"", {"X-Pinecone-Request-Id": "", "X-Request-Id": "req-2"}).request_id == "req-2"


@pytest.mark.parametrize(
    "details", [["a"] * 100_000, {str(number): [number] for number in range(20_000)}, [[["a"] * 50] * 50] * 50]
)
def test_of_many_details_the_first_thousand_are_kept(details: Any) -> None:
    kept = api_error(400, error_body("OUT_OF_RANGE", details=details)).details
    flat, ahead = 0, [kept]
    while ahead:
        item = ahead.pop()
        flat += item is not None
        ahead += item.values() if isinstance(item, dict) else item if isinstance(item, list) else []
    assert flat == 1000


@pytest.mark.parametrize("key", ['pcsk_"quoted\\key', "12345678"])
def test_a_key_is_masked_in_json_too(key: str) -> None:
    protocol = BackupsProtocol(base_url="https://api.example", api_key=Secret(key), headers={})
    echo = int(key) if key.isdigit() else key
    with pytest.raises(door.BackupsError) as caught:
        protocol.read(FIRST, 400, {}, json.dumps(error_body("ABORTED", details={"n": [echo, 7, True]})).encode())
    assert vars(caught.value)["details"] == {"n": ["***", 7, True]}
    with pytest.raises(ResponseParsingError) as parsing:
        protocol.read(FIRST, 200, {}, json.dumps({"data": {"k": key}}).encode())
    assert parsing.value.excerpt == '{"data": {"k": "***"}}'


@pytest.mark.parametrize(
    "date",
    [
        "Wed, 01 Apr 2026 12:00:03 GMT, 30", "01 Apr 2026 12:00:03 GMT", "2026-04-01T12:00:03Z", "Apr 1 2026", "tomorrow",
        "Wed, 99 Apr 2026 12:00:03 GMT",
    ],
)  # fmt: skip
def test_what_is_no_http_date_is_ignored(date: str) -> None:
    assert api_error(503, b"", {"Retry-After": date}).retry_after is None
