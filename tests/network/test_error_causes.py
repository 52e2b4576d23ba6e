"""Errors say where it happened, at the proxy or the server, and why, in words of the system; never in the peer's."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from unittest.mock import Mock

import aiohttp
import pytest

from pinecone_backups_async import TransportTimeoutError
from pinecone_backups_async._loops import LOOKUPS
from tests.support.aioresponses_bridge import mocked_aiohttp
from tests.support.clients import failed_at, failure, unused_port
from tests.support.fault_kinds import cut
from tests.support.fault_server import Behaviour


async def test_what_refuses_is_named_with_its_side() -> None:
    place = f"127.0.0.1:{unused_port()}"
    for side, settings in {"server": {}, "proxy": {"proxy": f"http://user:hush@{place}"}}.items():
        error = await failed_at("https://api.example" if settings else f"http://{place}", **settings)
        assert str(error).startswith(f"no connection to the {side} {place}: 127.0.0.1: Connection refused")
        assert (error.sent, error.attempts) == (False, 4)


async def test_each_address_has_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    port = unused_port()
    addresses = {socket.AF_INET: ("127.0.0.1", port), socket.AF_INET6: ("::1", port, 0, 0)}
    found = [(family, socket.SOCK_STREAM, 0, "", address) for family, address in addresses.items()]
    monkeypatch.setattr(socket, "getaddrinfo", Mock(return_value=found))
    error = await failed_at(f"https://api.example:{port}")
    assert "127.0.0.1: Connection refused" in str(error)
    assert "::1: " in str(error)


@pytest.mark.parametrize("url", ["https://no-such-host.invalid", "https://[fe80::1%nowhere]:9"])
async def test_the_resolvers_numbers_are_not_the_systems(url: str) -> None:
    error = await failed_at(url)
    assert os.strerror(socket.EAI_NONAME) not in str(error)
    assert "Unknown error" not in str(error)
    assert "ame" in str(error).rpartition(": ")[2]  # "Name or service not known", or what this system says


@pytest.mark.parametrize(("sent", "words"), [
    (b"HTTP/1.1 200 OK\r\nX-A: " + b"hush" * 20_000 + b"\r\n\r\n", "LineTooLong"),
    (b"hush hush\r\n\r\n", "BadStatusLine"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhush", "BadHttpMessage"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhush", "ContentLengthError"),
    (b"HTTP/1.1 200 OK\r\nX-A: hush\r\n", "ServerDisconnectedError"),
    (cut(lambda _: b"", reset=True), "Connection reset by peer"),
])  # fmt: skip
async def test_what_breaks_off_is_not_quoted(sent: Behaviour, words: str) -> None:
    error, server = await failure([sent] * 4)
    place = server.url.removeprefix("http://")
    assert str(error) == f"no complete response from the server {place}: {words} (after 4 attempts)"
    assert error.sent


async def test_a_proxy_of_the_environment_is_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is, if nothing could be sent and no proxy was passed."""
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hush@proxy.example:3128")
    url, hint = f"http://127.0.0.1:{unused_port()}", "(HTTPS_PROXY is set, but this library ignores it: pass proxy=)"
    assert hint in str(await failed_at(url))
    assert hint in str(await failed_at("https://no-such-host.invalid"))
    assert hint not in str(await failed_at("https://api.example", proxy=url))
    assert hint not in str((await failure([b""] * 4))[0])


@pytest.mark.parametrize("kind", [TimeoutError, aiohttp.ServerTimeoutError])
async def test_a_mocked_timeout_is_a_timeout(kind: type[Exception]) -> None:
    with mocked_aiohttp() as mocked:
        mocked.get("http://127.0.0.1:9/backups?limit=100", exception=kind(), repeat=True)
        error = await failed_at("http://127.0.0.1:9")
    assert isinstance(error, TransportTimeoutError)
    assert error.sent  # for all that is known


HANGING = """
import asyncio, socket, time
from pinecone_backups_async import BackupsClient, RetryPolicy
socket.getaddrinfo = lambda *_, **__: time.sleep(20)
async def main():
    async with BackupsClient("key", attempt_timeout=0.2, retry=RetryPolicy(attempts=1)) as client:
        for call in (client.fetch_page(), asyncio.wait_for(client.fetch_page(attempt_timeout=9), 0.2)):
            try:
                await call
            except TimeoutError as error:
                print(type(error).__name__)
began = time.monotonic()
asyncio.run(main())
print(time.monotonic() - began < 2)
"""


def test_name_resolution_that_hangs_holds_nothing() -> None:
    """Neither a call that runs out of time, nor one that is cancelled, nor the end of the loop and of the process."""
    done = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=15, check=True)
    assert (done.stdout.split(), done.stderr) == (["TransportTimeoutError", "TimeoutError", "True"], "")


async def test_lookups_are_those_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up, release = LOOKUPS.getnameinfo, threading.Event()
    arguments = ("127.0.0.1", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    assert await look_up(*arguments) == socket.getnameinfo(*arguments)

    def hang(*_: object) -> None:
        release.wait(5)

    monkeypatch.setattr(socket, "getnameinfo", hang)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(look_up(*arguments), 0.02)
    release.set()
    await asyncio.sleep(0.05)  # what comes after the cancellation is dropped
