"""The wall, swept: every failing path, raised, cancelled, timed out and interrupted by a signal handler that raises.

Nothing that can be reached from what reached the caller holds the key, a header's value, a proxy's password or a body.
The frames of the tests are left out: they know all of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import attrs
import pytest

import pinecone_backups_async
from pinecone_backups_async import BackupsClient, _wall
from tests.support.clients import AT_ONCE, listed
from tests.support.failing_calls import ANSWERS
from tests.support.fault_server import Behaviour, answer, fault_server, listening
from tests.support.guard import CANARY, find_canary
from tests.support.samples import row

PACKAGE = str(Path(pinecone_backups_async.__file__).parent)
HEADER, PASSWORD, NAME, BODY = "hush-header", "hush-password", "hush-name", "hush-response"
SECRETS = (CANARY, HEADER, PASSWORD, NAME, BODY)


@attrs.frozen
class FailingPath:
    """A call that fails, and what the server does; without a server the settings alone are wrong."""

    call: Callable[[BackupsClient], Awaitable[object]]
    behaviour: Behaviour | None = None
    settings: dict[str, Any] = attrs.field(factory=dict[str, Any])


async def fetch(client: BackupsClient) -> object:
    return await client.fetch_page()


def create(client: BackupsClient) -> Awaitable[object]:
    return client.create_backup("movies", name=NAME, description=NAME)


def ensure(client: BackupsClient) -> Awaitable[object]:
    return client.ensure_backup("movies", NAME)


def restore(client: BackupsClient) -> Awaitable[object]:
    return client.create_index_from_backup("b1", name="restored", tags={"team": NAME})


# What an error quotes of a body is shortened: this stands behind it.
SAID = answer(json.dumps({"data": [{**row(), "description": "x" * 700, "record_count": BODY}]}).encode())
FAILED = answer(json.dumps({**row(), "status": "Failed"}).encode())
BROKEN = answer(json.dumps({"error": {"code": "UNKNOWN", "message": "It failed."}, "more": BODY}).encode(), "500 No")
OF_CALLS: dict[str, Callable[[BackupsClient], Awaitable[object]]] = {
    "create": create,
    "ensure": ensure,
    "restore": restore,
    "delete": lambda client: client.delete_backup("b1"),
    "describe": lambda client: client.describe_backup("b1"),
    "jobs": lambda client: client.list_restore_jobs().to_list(),
    "job": lambda client: client.describe_restore_job("j1"),
    "indexes": lambda client: client.list_indexes(),
    "list": listed,
    "inventory": lambda client: client.inventory(),
}
PATHS: dict[str, FailingPath] = {
    **{f"a page, {name}": FailingPath(fetch, behaviour) for name, behaviour in ANSWERS.items()},
    **{f"{name}, 500": FailingPath(call, BROKEN) for name, call in OF_CALLS.items()},
    **{f"{name}, garbled": FailingPath(call, SAID[:-9]) for name, call in OF_CALLS.items() if name != "ensure"},
    "a page that is none": FailingPath(fetch, SAID),
    "a wait for what failed": FailingPath(lambda client: client.wait_until_ready("b1"), FAILED),
    "refused": FailingPath(fetch, settings={"base_url": "http://127.0.0.1:9"}),
    "a proxy that refuses": FailingPath(fetch, settings={"proxy": f"http://user:{PASSWORD}@127.0.0.1:9"}),
    "a proxy that stalls": FailingPath(fetch, settings={"proxy": f"http://user:{PASSWORD}@127.0.0.1:{{port}}"}),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "key": {"api_key": f"{CANARY} "},
    "quoted key": {"api_key": f"'{CANARY}'"},
    "header": {"additional_headers": {"X A": HEADER}},
    "header's value": {"additional_headers": {"X-A": f"{HEADER}\n"}},
    "proxy": {"proxy": f"socks5://user:{PASSWORD}@host"},
    "proxy's user": {"proxy": f"http://us%3Aer:{PASSWORD}@host:1"},
    "timeout": {"timeout": 0},
    "retry": {"retry": 5},
    "connector": {"connector": 5},
}


class Interruption(BaseException):
    """What a signal handler raises, as those of soft limits and of pytest-timeout do."""


@contextlib.contextmanager
def interrupted_at(line: int) -> Generator[None]:
    """Let a signal arrive as soon as so many lines of the package have been executed, within its frame."""
    lines = 0

    def count(frame: Any, event: str, _: object) -> Any:
        nonlocal lines
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event != "line" or (
            frame.f_code.co_filename == _wall.__file__ and frame.f_code.co_name == "call" and begins(frame)
        ):
            return count
        lines += 1
        if lines == line:
            signal.raise_signal(signal.SIGUSR1)
        return count

    def begins(frame: Any) -> bool:  # a `try:` alone, at which no handler is run
        return bool(frame.f_lineno == frame.f_code.co_firstlineno + 1)

    def handle(*_: object) -> None:
        raise Interruption

    handler, tracer = signal.signal(signal.SIGUSR1, handle), sys.gettrace()
    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(tracer)
        signal.signal(signal.SIGUSR1, handler)


async def stalls(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()
    await asyncio.sleep(0.3)


@contextlib.asynccontextmanager
async def client_for(path: FailingPath) -> AsyncGenerator[BackupsClient]:
    async with fault_server([path.behaviour or b""] * 40) as server, listening(stalls) as port:
        settings: dict[str, Any] = {**path.settings}
        if "proxy" in settings:
            settings = {"proxy": settings["proxy"].format(port=port), "base_url": "https://127.0.0.1:9"}
        defaults: dict[str, Any] = {"base_url": server.url, "retry": AT_ONCE, "attempt_timeout": 0.05}
        async with BackupsClient(CANARY, additional_headers={"X-Team": HEADER}, **defaults | settings) as client:
            yield client


def ignore(*_: object) -> None:
    return


async def ended(path: FailingPath, how: str, moment: int) -> BaseException | None:
    """Return what reached the caller, None where the call succeeded before it was to be ended."""
    async with client_for(path) as client:
        try:
            if how == "timed out":
                async with asyncio.timeout(moment / 1000):
                    await path.call(client)
            elif how == "interrupted":
                asyncio.get_running_loop().set_exception_handler(ignore)  # of a response that is collected
                with interrupted_at(moment):
                    await path.call(client)
            elif how == "cancelled":
                task = asyncio.ensure_future(path.call(client))
                for _ in range(moment):
                    await asyncio.sleep(0)
                task.cancel()
                await task
            else:
                await path.call(client)
        except BaseException as raised:  # noqa: BLE001
            return raised
    return None


def shown(raised: BaseException | None) -> list[str]:
    return [] if raised is None else [place for secret in SECRETS for place in find_canary(raised, secret)]


MOMENTS = {
    "raised": [0],
    "cancelled": [1, 2, 4, 9, 20],
    "timed out": [1, 9],
    "interrupted": [3, 8, 21, 40, 75, 110, 160],
}


# A response that aiohttp was just handing over when the handler raised is closed when it is collected.
@pytest.mark.filterwarnings("ignore:Unclosed connection", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("how", MOMENTS)
@pytest.mark.parametrize("name", PATHS)
async def test_nothing_is_shown(name: str, how: str) -> None:
    outcomes = [await ended(PATHS[name], how, moment) for moment in MOMENTS[how]]
    assert [shown(outcome) for outcome in outcomes] == [[]] * len(outcomes)
    assert outcomes[0] is not None
    for outcome in outcomes:
        modules = [type(link).__module__ for link in (outcome, *(links(outcome))) if link is not None]
        assert not [module for module in modules[1:] if module.startswith(("pinecone", "aiohttp"))]


def links(error: BaseException | None) -> list[BaseException]:
    """Return all causes and contexts of an exception."""
    found: list[BaseException] = []
    ahead = [error]
    for current in ahead:
        if current is not None:
            ahead += [link for link in (current.__cause__, current.__context__) if link not in found]
            found += [link for link in (current.__cause__, current.__context__) if link is not None]
    return found


def constructed(settings: dict[str, Any], line: int = 0) -> BaseException | None:
    wrong: dict[str, Any] = {
        "api_key": CANARY,
        "proxy": f"http://user:{PASSWORD}@host:1",
        "additional_headers": {"X-A": HEADER},
        **settings,
    }
    try:
        with interrupted_at(line):
            BackupsClient(**wrong)
    except BaseException as raised:  # noqa: BLE001
        return raised
    return None


@pytest.mark.parametrize("name", SETTINGS)
def test_no_constructor_shows_anything(name: str) -> None:
    outcomes = [constructed(SETTINGS[name], line) for line in (0, *range(5, 60, 9))]
    assert [shown(outcome) for outcome in outcomes] == [[]] * len(outcomes)
    assert outcomes[0] is not None


@pytest.mark.parametrize("how", MOMENTS)
async def test_without_the_wall_all_of_it_is_shown(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wall, "enabled", False)
    found: set[str] = set()
    for name in ("a page, stalled", "create, 500", "a proxy that stalls", "a page that is none"):
        for moment in MOMENTS[how]:
            outcome = await ended(PATHS[name], how, moment)
            found |= {secret for secret in SECRETS if outcome is not None and find_canary(outcome, secret)}
    assert {HEADER} <= found
    assert shown(constructed(SETTINGS["key"]))


def test_there_are_enough_paths() -> None:
    assert len(PATHS) + len(SETTINGS) >= 31
