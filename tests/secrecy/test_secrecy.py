"""K: the key. Whatever fails, and whoever looks at the failure, the key is not there; nor where it is sent back."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import logging
import pickle
from typing import Any

import pytest

import pinecone_backups_async as pba
from pinecone_backups_async import BackupsClient, BackupsError, ConfigurationError
from pinecone_backups_async._protocol import Response
from tests.support.clients import AT_ONCE, client_of, eager, failure, listed
from tests.support.error_reporters import ONLOOKERS, spans
from tests.support.failing_calls import FAILURES, SETTINGS, SWEPT, ended, raised_by
from tests.support.fault_kinds import QUICK
from tests.support.fault_server import answer, fault_server
from tests.support.guard import CANARY, find_canary, open_descriptors

KEYS_THAT_CANNOT_BE = [
    "hush\r\nkey", "hush\nkey", "hush\0key", "hush\x1bkey", "hush\x7fkey", "hush\u00e9key", "hush\U0001f511key",
    "hush\u200bkey", "hush\ud800key", "hush key", "hush\tkey", "", None, b"hushkey", 5318008, "hushkey" * 15_000,
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS_THAT_CANNOT_BE, ids=lambda key: repr(key)[:20])
async def test_K1_a_key_that_cannot_be_one_is_refused_unseen(key: Any) -> None:
    async with fault_server() as server:
        before = open_descriptors()
        with pytest.raises(ConfigurationError, match="^api_key ") as caught:
            BackupsClient(key, base_url=server.url, retry=AT_ONCE)
        assert (open_descriptors(), server.connections) == (before, 0)
    for trace in ("hush", "5318008"):
        assert find_canary(caught.value, trace) == []
        assert not [name for name, look in ONLOOKERS.items() if trace in look(caught.value)]


def nobody_sees_it(raised: BaseException | None) -> bool:
    assert raised is not None
    assert find_canary(raised) == []
    return not [onlooker for onlooker, look in ONLOOKERS.items() if CANARY in look(raised)]


@pytest.mark.parametrize("name", [*FAILURES, *SETTINGS])
async def test_K2_K3_no_error_leads_to_the_key_whoever_looks(name: str) -> None:
    raised = await raised_by(name)
    assert nobody_sees_it(raised)
    assert isinstance(raised, BackupsError)
    assert (raised.__cause__, raised.__context__) == (None, None)


@pytest.mark.parametrize(("how", "moment"), [("cancelled", 20), ("timed out", 9)])
async def test_K2_K3_nor_does_what_ends_a_call(how: str, moment: int) -> None:
    assert nobody_sees_it(await ended(SWEPT["stalled"], how, moment))


@pytest.mark.parametrize("onlooker", ONLOOKERS)
async def test_K3_each_onlooker_would_see_a_key_that_is_there(onlooker: str) -> None:
    """Those of tracebacks see the package's frames."""
    told = pickle.loads(pickle.dumps(ConfigurationError(CANARY)))
    assert CANARY in ONLOOKERS[onlooker](told)
    assert find_canary(told) != []
    if onlooker not in {"the error itself", "a pickle"}:
        assert "pinecone_backups_async" in ONLOOKERS[onlooker](await raised_by("401"))


async def test_K2_nor_does_the_client_or_anything_that_it_holds() -> None:
    async with fault_server() as server, client_of(server, additional_headers={"X-A": "b"}) as client:
        pager = client.list_backups()
        page = await client.fetch_page()
        for value in (client, pager, aiter(pager), pager.pages(), page):
            assert find_canary(value) == []
        for refuse in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                refuse(client)


def test_K2_nor_does_a_response() -> None:
    told = Response(401, {"X-Request-Id": CANARY}, CANARY.encode())
    assert CANARY not in repr(told) + f"{told}"


@pytest.mark.parametrize("name", sorted(FAILURES.keys() - {"echoed"}))  # of which a span tells as it came
async def test_K4_no_span_with_all_headers_captured_shows_it(name: str) -> None:
    with spans() as exporter:
        await raised_by(name)
    told = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert CANARY not in told
    assert ("http.request.header.x_pinecone_api_version" in told) == ("headers.at.end" in told) == (name != "misused")


async def test_K5_no_logger_tells_it_with_asyncio_in_debug_mode(caplog: pytest.LogCaptureFixture) -> None:
    """The guard looks at every record of every test; here the loop tells of each callback, through all faults."""
    caplog.set_level(logging.DEBUG)
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0
    try:
        async with fault_server(list(QUICK.values()), backups=30) as server:
            async with client_of(server, retry=eager(attempts=30)) as client:
                assert await listed(client) == server.ids
        for name in ("500", "cut", "echoed", "stalled"):
            await raised_by(name)
        await ended(SWEPT["stalled"], "cancelled", 20)
    finally:
        loop.set_debug(False)
        loop.slow_callback_duration = 0.1
    assert {record.name for record in caplog.records} >= {"asyncio", "pinecone_backups_async"}
    assert len(caplog.records) > 100
    assert CANARY not in caplog.text


LONG = json.dumps({"error": {"code": "UNAUTHENTICATED", "message": "x" * 490 + CANARY + "y" * 600}}).encode()
SOURCE = " (the key came from the argument api_key)"
ECHOES = {
    "reason": (answer(b"", f"401 {CANARY}"), pba.UnauthorizedError),
    "header": (answer(b"", "401 No", f"X-Request-Id: {CANARY}\r\nRetry-After: {CANARY}\r\n"), pba.UnauthorizedError),
    "text body": (answer(f"no key is {CANARY}".encode(), "401 No"), pba.UnauthorizedError),
    "message to be cut": (answer(LONG, "401 No"), pba.UnauthorizedError),
    "page that is none": (answer(json.dumps({"data": [{CANARY: CANARY}]}).encode()), pba.ResponseParsingError),
    "garbage": (answer(f"<html>{CANARY}".encode()), pba.ResponseParsingError),
}


async def test_K6_a_key_that_is_sent_back_is_masked() -> None:
    raised = await raised_by("echoed")
    assert isinstance(raised, pba.UnauthorizedError)
    told = (raised.code, raised.message, raised.details, raised.request_id, str(raised))
    assert told == ("***", "Bad key ***", None, "***", f"[***] 401 ***: Bad key ***{SOURCE}")


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
    "excerpt": "e", "key_source": "api_key", "last": None, "outcome_unknown": True, "pagination_token": "t",
    "passes": 5, "problems": [("$", "r")], "request_id": "r", "retry_after": 1.5, "sent": True, "status": 502,
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
