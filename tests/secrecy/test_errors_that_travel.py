"""K: the key that a server sends back, and errors that travel: masked, cut, and the same at the other end."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
from typing import Any

import pytest

import pinecone_backups_async as pba
from pinecone_backups_async import BackupsClient, BackupsError, ResponseParsingError, UnauthorizedError
from tests.support.clients import AT_ONCE, client_of
from tests.support.failing_calls import raised_by
from tests.support.fault_server import answer, fault_server
from tests.support.guard import CANARY, find_canary


async def test_K6_a_key_that_is_sent_back_is_masked() -> None:
    raised = await raised_by("echoed")
    assert isinstance(raised, UnauthorizedError)
    assert (raised.code, raised.message, raised.details, raised.request_id) == (
        "***",
        "Bad key ***",
        {"k": "***"},
        "***",
    )
    assert str(raised) == "[***] 401 ***: Bad key ***"


@pytest.mark.parametrize(
    "place", ["reason", "header", "text body", "message to be cut", "page that is none", "garbage"]
)
async def test_K6_a_key_that_is_sent_back_is_masked_and_the_text_cut(place: str) -> None:
    long = "x" * 490 + CANARY + "y" * 600
    body = json.dumps({"error": {"code": "UNAUTHENTICATED", "message": long}}).encode()
    answers = {
        "reason": (answer(b"", f"401 {CANARY}"), UnauthorizedError),
        "header": (answer(b"", "401 No", f"X-Request-Id: {CANARY}\r\nRetry-After: {CANARY}\r\n"), UnauthorizedError),
        "text body": (answer(f"no key is {CANARY}".encode(), "401 No"), UnauthorizedError),
        "message to be cut": (answer(body, "401 No"), UnauthorizedError),
        "page that is none": (answer(json.dumps({"data": [{CANARY: CANARY}]}).encode()), ResponseParsingError),
        "garbage": (answer(f"<html>{CANARY}".encode()), ResponseParsingError),
    }
    sent, kind = answers[place]
    async with fault_server([sent] * 4) as server, client_of(server) as client:
        with pytest.raises(kind) as caught:
            await client.fetch_page()
    assert find_canary(caught.value) == find_canary(caught.value, CANARY[:12]) == []
    facts: dict[str, Any] = vars(caught.value)
    assert all(len(text) <= 500 for text in facts.values() if isinstance(text, str))
    assert ("***" in str(caught.value) + str(facts)) == (place != "reason")


@pytest.mark.parametrize("length", [75, 511])
async def test_K6_a_long_key_that_fills_the_answer_shows_no_piece_of_itself(length: int) -> None:
    key = ("pcsk_" + "0123456789" * 51)[:length]
    async with fault_server([answer(key.encode() * (70_000 // length), "401 No")]) as server:
        async with BackupsClient(key, base_url=server.url, retry=AT_ONCE) as client:
            with pytest.raises(UnauthorizedError) as caught:
                await client.fetch_page()
    assert "pcsk_" not in str(caught.value)


ERRORS = [
    pba.BackupsError("m", attempts=2, pagination_token="t"),
    pba.ConfigurationError("m"),
    pba.ClientClosedError("m"),
    pba.TransportError("m", status=502),
    pba.TransportTimeoutError("m", attempts=4),
    pba.TLSError("m"),
    *(
        cls(
            "m",
            status=429,
            code="C",
            details={"a": [1]},
            retry_after=1.5,
            request_id="r",
            attempts=3,
            pagination_token="t",
        )
        for cls in (pba.ApiError, pba.InvalidRequestError, pba.UnauthorizedError, pba.ForbiddenError)
    ),
    *(
        cls("m", status=429, code=None, retry_after=None)
        for cls in (pba.NotFoundError, pba.RateLimitError, pba.ServiceError, pba.UnexpectedRedirectError)
    ),
    *(
        cls("m", problems=[("$", "r")], excerpt="e", decoded=False, request_id="r")
        for cls in (pba.ResponseParsingError, pba.ResponseTooLargeError, pba.PaginationLoopError)
    ),
    pba.IncompleteListingError("m", backups=[], passes=5),
]


@pytest.mark.parametrize("original", ERRORS, ids=lambda found: type(found).__name__)
def test_K7_errors_survive_pickle_and_copy(original: BackupsError) -> None:
    for twin in (pickle.loads(pickle.dumps(original)), copy.copy(original), copy.deepcopy(original)):
        assert type(twin) is type(original)
        assert vars(twin) == vars(original)
        assert (twin.args, str(twin)) == (original.args, str(original))
    assert "\n" not in str(original)


def test_K7_these_are_all_classes_of_errors() -> None:
    exported = [getattr(pba, name) for name in pba.__all__]
    classes = {found for found in exported if inspect.isclass(found) and issubclass(found, BaseException)}
    assert {type(error) for error in ERRORS} == classes
