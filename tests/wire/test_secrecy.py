"""K: the key. Whatever fails, and whoever looks at the failure, the key is not there."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import pickle
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.transport import Transport

import pinecone_backups_async as door
from pinecone_backups_async import BackupsClient, BackupsError, ConfigurationError
from pinecone_backups_async._session import Answer
from pinecone_backups_async._settings import Secret

from .guard import CANARY, find_canary
from .helpers import AT_ONCE, client_of
from .kinds import cut, stall
from .server import Exchange, answer, error, fault_server, head

ECHO = json.dumps({"status": 401, "error": {"code": CANARY, "message": f"Bad key {CANARY}", "details": {"k": CANARY}}})
SCRIPTS: dict[str, Any] = {
    "401": error("401 Unauthorized", "UNAUTHENTICATED"),
    "403": error("403 Forbidden"),
    "404": error("404 Not Found"),
    "400": error("400 Bad Request", "INVALID_ARGUMENT"),
    "429": error("429 Too Many Requests"),
    "500": error("500 Internal"),
    "302": answer(b"", "302 Found", "Location: https://elsewhere.example/\r\n"),
    "no page": answer(b'{"data": 5}'),
    "no JSON": answer(b"<html>"),
    "too large": head(f"Content-Length: {10**9}\r\n"),
    "cut": cut(lambda page: answer(page)[:-5]),
    "stalled": stall,
    "echoed": answer(ECHO.encode(), "401 Unauthorized", f"X-Request-Id: {CANARY}\r\n"),
}


async def caught(kind: str, **settings: Any) -> BaseException:
    async with fault_server([SCRIPTS[kind]] * 4) as server:
        async with client_of(server, attempt_timeout=0.2, **settings) as client:
            try:
                await client.fetch_page()
            except BackupsError as raised:
                return raised
    pytest.fail("no error was raised")


async def cancelled(how: Callable[[Awaitable[Any]], Awaitable[Any]]) -> BaseException:
    """Return what reaches the caller when a call is broken off while its request is on the wire."""

    async def silent(exchange: Exchange) -> None:
        await asyncio.sleep(60)

    async with fault_server([silent]) as server, client_of(server) as client:
        try:
            await how(client.fetch_page())
        except (asyncio.CancelledError, TimeoutError) as raised:
            return raised
    pytest.fail("it was not broken off")


async def by_timeout(call: Awaitable[Any]) -> None:
    async with asyncio.timeout(0.1):
        await call


async def by_cancel(call: Awaitable[Any]) -> None:
    task = asyncio.ensure_future(call)
    await asyncio.sleep(0.1)
    task.cancel()
    await task


@pytest.mark.parametrize("kind", SCRIPTS)
async def test_K2_no_error_leads_to_the_key(kind: str) -> None:
    raised = await caught(kind)
    assert find_canary(raised) == []
    assert (raised.__cause__, raised.__context__) == (None, None)
    shown = "".join(traceback.TracebackException.from_exception(raised, capture_locals=True).format())
    assert CANARY not in shown.split("test_secrecy.py", 1)[0] + pickle.dumps(raised).decode(errors="replace")
    assert CANARY not in str(raised) + repr(raised) + repr(raised.args) + repr(vars(raised))


@pytest.mark.parametrize("how", [by_timeout, by_cancel])
async def test_K2_nor_does_what_breaks_a_call_off(how: Any) -> None:
    assert find_canary(await cancelled(how)) == []


async def test_K2_nor_does_the_client_or_anything_that_it_holds() -> None:
    async with fault_server() as server, client_of(server, additional_headers={"X-A": "b"}) as client:
        pager = client.list_backups()
        page = await client.fetch_page()
        for value in (client, pager, aiter(pager), pager.pages(), page):
            assert find_canary(value) == []
        for refuse in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                refuse(client)


class Captured(Transport):
    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.events = 0

    def capture_envelope(self, envelope: Any) -> None:
        self.events += 1
        self.text += envelope.serialize().decode(errors="replace")


@pytest.mark.parametrize("kind", SCRIPTS)
async def test_K3_sentry_with_locals_does_not_see_it(kind: str) -> None:
    transport = Captured()
    # The tests' own frames know the key, so only what is not theirs is looked at.
    with sentry_sdk.new_scope():
        client = sentry_sdk.Client(
            dsn="http://public@127.0.0.1:1/1",
            transport=transport,
            include_local_variables=True,
            default_integrations=False,
        )
        sentry_sdk.get_current_scope().set_client(client)
        sentry_sdk.capture_exception(await caught(kind))
        client.flush()
    assert transport.events == 1
    event = json.loads(transport.text.splitlines()[-1])
    frames = [frame for value in event["exception"]["values"] for frame in value["stacktrace"]["frames"]]
    assert [frame for frame in frames if "vars" in frame and "pinecone_backups_async" in frame["abs_path"]]
    ours = [frame for frame in frames if "/tests/" not in frame["abs_path"]]
    assert CANARY not in json.dumps(ours) + json.dumps(event["exception"]["values"][-1]["value"])


async def test_K3_nor_in_a_frame_that_refuses_a_setting() -> None:
    for settings in ({"timeout": 0}, {"base_url": "ftp://x"}, {"proxy": "x"}, {"retry": 5}, {"connector": 5}):
        arguments: dict[str, Any] = settings
        with pytest.raises(ConfigurationError) as refused:
            BackupsClient(CANARY, **arguments)
        assert find_canary(refused.value) == []


async def test_K5_no_logger_tells_it_with_asyncio_in_debug_mode(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    caplog.set_level(logging.DEBUG)
    loop.slow_callback_duration = 0.0
    try:
        for kind in ("500", "cut", "echoed", "stalled"):
            await caught(kind)
    finally:
        loop.set_debug(False)
        loop.slow_callback_duration = 0.1
    assert len(caplog.records) > 20
    assert CANARY not in caplog.text


async def test_K6_a_key_that_is_sent_back_is_masked() -> None:
    raised = await caught("echoed")
    assert isinstance(raised, door.UnauthorizedError)
    assert (raised.code, raised.message, raised.details, raised.request_id) == (
        "***",
        "Bad key ***",
        {"k": "***"},
        "***",
    )
    assert str(raised) == "[***] 401 ***: Bad key ***"


ERRORS = [
    door.BackupsError("m", attempts=2, pagination_token="t"),
    door.ConfigurationError("m"),
    door.ClientClosedError("m"),
    door.TransportError("m", status=502),
    door.TransportTimeoutError("m", attempts=4),
    door.TLSError("m"),
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
        for cls in (door.ApiError, door.InvalidRequestError, door.UnauthorizedError, door.ForbiddenError)
    ),
    *(
        cls("m", status=429, code=None, retry_after=None)
        for cls in (door.NotFoundError, door.RateLimitError, door.ServiceError, door.UnexpectedRedirectError)
    ),
    *(
        cls("m", problems=[("$", "r")], excerpt="e", decoded=False, request_id="r")
        for cls in (door.ResponseParsingError, door.ResponseTooLargeError, door.PaginationLoopError)
    ),
    door.IncompleteListingError("m", backups=[], passes=5),
]


@pytest.mark.parametrize("original", ERRORS, ids=lambda found: type(found).__name__)
def test_K7_errors_survive_pickle_and_copy(original: BackupsError) -> None:
    for twin in (pickle.loads(pickle.dumps(original)), copy.copy(original), copy.deepcopy(original)):
        assert type(twin) is type(original)
        assert vars(twin) == vars(original)
        assert (twin.args, str(twin)) == (original.args, str(original))
    assert "\n" not in str(original)


def test_K2_what_holds_secrets_shows_and_pickles_nothing() -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Secret(CANARY))
    told = Answer(401, {"X-Request-Id": CANARY}, CANARY.encode())
    assert repr(told) == f"{told}" == "<Answer 401>"


async def test_K2_the_key_goes_to_the_configured_origin_alone() -> None:
    async with fault_server() as server, fault_server() as other, client_of(server) as client:
        await client.fetch_page()
        sessions = client._session._sessions  # pyright: ignore[reportPrivateUsage]
        assert sessions is not None
        async with sessions.pooled.get(f"{other.url}/backups") as response:
            await response.read()
        assert CANARY.encode() in server.heads[0]
        assert b"api-key" not in other.heads[0].lower()


async def test_K1_a_refused_key_opens_no_socket() -> None:
    async with fault_server() as server:
        with pytest.raises(ConfigurationError):
            BackupsClient("no key", base_url=server.url, retry=AT_ONCE)
        assert server.connections == 0
