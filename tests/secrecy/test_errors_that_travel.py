"""K: the key that a server sends back, and errors that travel: masked, cut, and the same at the other end."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
from typing import Any

import pytest

import pinecone_backups_async as pba
from pinecone_backups_async import BackupsError, ResponseParsingError, UnauthorizedError
from tests.support.clients import failure
from tests.support.failing_calls import raised_by
from tests.support.fault_server import answer
from tests.support.guard import CANARY, find_canary

LONG = json.dumps({"error": {"code": "UNAUTHENTICATED", "message": "x" * 490 + CANARY + "y" * 600}}).encode()
ECHOES = {
    "reason": (answer(b"", f"401 {CANARY}"), UnauthorizedError),
    "header": (answer(b"", "401 No", f"X-Request-Id: {CANARY}\r\nRetry-After: {CANARY}\r\n"), UnauthorizedError),
    "text body": (answer(f"no key is {CANARY}".encode(), "401 No"), UnauthorizedError),
    "message to be cut": (answer(LONG, "401 No"), UnauthorizedError),
    "page that is none": (answer(json.dumps({"data": [{CANARY: CANARY}]}).encode()), ResponseParsingError),
    "garbage": (answer(f"<html>{CANARY}".encode()), ResponseParsingError),
}


async def test_K6_a_key_that_is_sent_back_is_masked() -> None:
    raised = await raised_by("echoed")
    assert isinstance(raised, UnauthorizedError)
    told = (raised.code, raised.message, raised.details, raised.request_id, str(raised))
    assert told == ("***", "Bad key ***", {"k": "***"}, "***", "[***] 401 ***: Bad key ***")


@pytest.mark.parametrize("place", ECHOES)
async def test_K6_and_the_text_around_it_is_cut(place: str) -> None:
    sent, kind = ECHOES[place]
    found, _ = await failure([sent] * 4)
    assert type(found) is kind
    assert find_canary(found) == find_canary(found, CANARY[:12]) == []
    facts: dict[str, Any] = vars(found)
    assert all(len(text) <= 500 for text in facts.values() if isinstance(text, str))
    assert ("***" in str(found) + str(facts)) == (place != "reason")


@pytest.mark.parametrize("length", [75, 511])
async def test_K6_a_long_key_shows_no_piece_of_itself(length: int) -> None:
    key = ("pcsk_" + "0123456789" * 51)[:length]
    found, _ = await failure([answer(key.encode() * (70_000 // length), "401 No")], key=key)
    assert "pcsk_" not in str(found)


EXPORTED: list[Any] = [getattr(pba, name) for name in pba.__all__]
ERRORS = [found for found in EXPORTED if inspect.isclass(found) and issubclass(found, BackupsError)]
FACTS: dict[str, Any] = {
    "argument": "limit", "attempts": 3, "backups": [], "code": "C", "decoded": False, "details": {"a": [1]},
    "excerpt": "e", "last": None, "outcome_unknown": True, "pagination_token": "t", "passes": 5, "request_id": "r",
    "problems": [("$", "r")], "retry_after": 1.5, "sent": True, "status": 502,
}  # fmt: skip


@pytest.mark.parametrize("kind", ERRORS)
def test_K7_errors_survive_pickle_and_copy(kind: type[BackupsError]) -> None:
    """Every class, with no fact and with each that it knows."""
    names = {name for base in kind.__mro__ for name in inspect.get_annotations(base)}
    for original in (kind("m"), kind("m", **{name: FACTS[name] for name in names})):
        for twin in (pickle.loads(pickle.dumps(original)), copy.copy(original), copy.deepcopy(original)):
            assert type(twin) is kind
            assert (vars(twin), twin.args, str(twin)) == (vars(original), original.args, str(original))
        assert "\n" not in str(original)
