"""K: secrets. Whatever fails, is ended or sends the key back, and whoever looks: none of them is there.

Nothing that can be reached from what reached the caller holds the key, a header's value, a proxy's password or a body.
The frames of the tests are left out: they know all of it.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import logging
import pickle
from typing import Any

import pytest

import pinecone_backups_async as pba
from pinecone_backups_async import BackupsError, ConfigurationError, _wall
from pinecone_backups_async._protocol import Response
from tests.support.clients import client_of, eager, listed
from tests.support.error_reporters import ONLOOKERS, spans
from tests.support.failing_calls import (
    FAILURES,
    HEADER,
    NAME,
    SECRETS,
    SETTINGS,
    SWEPT,
    constructed,
    ended,
    raised_by,
)
from tests.support.fault_kinds import QUICK
from tests.support.fault_server import fault_server
from tests.support.guard import CANARY, find_canary, places

# What was just being made or handed over when the handler raised is closed when it is collected.
interrupting = pytest.mark.filterwarnings(
    "ignore:Unclosed connection", "ignore::pytest.PytestUnraisableExceptionWarning"
)
# The moments at which a call is ended: turns of the loop, milliseconds, lines of the package.
MOMENTS = {
    "cancelled": [1, 2, 4, 9, 20],
    "timed out": [1, 9],
    "interrupted": [3, 8, 21, 40, 75, 110, 160],
}


# K1, keys that cannot be one: tests/unit/test_settings.py.
@pytest.mark.parametrize("name", [*FAILURES, *SETTINGS])
async def test_K2_K3_no_error_tells_a_secret_whoever_looks(name: str) -> None:
    raised = await raised_by(name)
    assert isinstance(raised, BackupsError)
    assert (raised.__cause__, raised.__context__) == (None, None)
    assert find_canary(raised, *SECRETS) == []
    told = {onlooker: look(raised) for onlooker, look in ONLOOKERS.items()}
    assert [onlooker for onlooker, text in told.items() if any(secret in text for secret in SECRETS)] == []


@interrupting
@pytest.mark.parametrize("how", MOMENTS)
@pytest.mark.parametrize("name", SWEPT)
async def test_K2_nor_does_what_ends_a_call(name: str, how: str) -> None:
    """Nor is an error of ours or of aiohttp's chained to it."""
    outcomes = [await ended(SWEPT[name], how, moment) for moment in MOMENTS[how]]
    assert [find_canary(outcome, *SECRETS) for outcome in outcomes] == [[]] * len(outcomes)
    assert outcomes[0] is not None
    reached = [place for outcome in outcomes for _, place in places(outcome) if place is not outcome]
    modules = [type(place).__module__ for place in reached if isinstance(place, BaseException)]
    assert not [module for module in modules if module.startswith(("pinecone", "aiohttp"))]


@interrupting
@pytest.mark.parametrize("name", SETTINGS)
def test_K2_nor_does_an_interrupted_constructor(name: str) -> None:
    outcomes = [constructed(SETTINGS[name], line) for line in range(5, 60, 9)]
    assert [find_canary(outcome, *SECRETS) for outcome in outcomes] == [[]] * len(outcomes)


async def test_without_the_wall_they_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wall, "enabled", False)
    for how in ("raised", *MOMENTS):
        outcome = await ended(SWEPT["create, broken"], how, 9)
        assert find_canary(outcome, HEADER) != []
        assert find_canary(outcome, NAME) != []
    assert find_canary(constructed(SETTINGS["key"])) != []


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


async def test_K6_a_key_that_is_sent_back_is_masked() -> None:
    """How a text is cut, and every spelling of a key: tests/unit/test_safe_text.py."""
    raised = await raised_by("echoed")
    assert isinstance(raised, pba.UnauthorizedError)
    told = (raised.code, raised.message, raised.details, raised.request_id, raised.retry_after, str(raised))
    source = " (the key came from the argument api_key)"
    assert told == ("***", "Bad key ***", None, "***", None, f"[***] 401 ***: Bad key ***{source}")
    assert (await raised_by("echoed as text")).message == "no key is ***"


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
