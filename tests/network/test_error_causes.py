"""Errors say where it happened, at the proxy or the server, and why, in words of the system; never in the peer's."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp.abc import AbstractResolver

from pinecone_backups_async import BackupsClient, RetryPolicy, TLSError, TransportError, TransportTimeoutError
from pinecone_backups_async._loops import Lookups
from tests.support.aioresponses_bridge import mocked_aiohttp
from tests.support.certificates import client_context, self_signed_context, server_context
from tests.support.clients import AT_ONCE, client_of, failure, listed
from tests.support.fault_kinds import stall
from tests.support.fault_server import answer, fault_server, listening
from tests.support.guard import CANARY

AUTHORITY = trustme.CA()
PROXIES = ("HTTPS_PROXY", "https_proxy")


@pytest.fixture(autouse=True)
def no_proxy_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


async def failed(url: str, **settings: Any) -> TransportError:
    settings.setdefault("retry", AT_ONCE)
    async with BackupsClient(CANARY, base_url=url, **settings) as client:
        with pytest.raises(TransportError) as caught:
            await client.fetch_page()
    return caught.value


@pytest.mark.parametrize(
    ("tls", "words"),
    [
        (self_signed_context, "self-signed certificate; if its CA is to be trusted, pass ssl_context= or set SSL_CERT"),
        (lambda: server_context(trustme.CA()), "unable to get local issuer certificate; if its CA"),
        (lambda: server_context(AUTHORITY, "elsewhere.example"), "Hostname mismatch, certificate is not valid for 'l"),
        (lambda: server_context(AUTHORITY, expired=True), "certificate has expired"),
    ],
)
async def test_certificates(tls: Callable[[], ssl.SSLContext], words: str) -> None:
    error, server = await failure([], tls=tls(), ssl_context=client_context(AUTHORITY))
    place = server.url.removeprefix("https://")
    assert str(error).startswith(f"the certificate of the server {place} is not accepted: {words}")


@pytest.mark.parametrize(("shown", "words"), [(False, "certificate required"), (True, "unknown ca")])
async def test_a_client_certificate_that_is_not_accepted(shown: bool, words: str) -> None:
    """Under TLS 1.3 the refusal arrives when the request is on its way: it is final, and not the system's error 1."""
    tls, ours = server_context(AUTHORITY), client_context(AUTHORITY)
    tls.verify_mode = ssl.CERT_REQUIRED
    AUTHORITY.configure_trust(tls)  # pyright: ignore[reportUnknownMemberType]
    if shown:
        trustme.CA().issue_cert("client").configure_cert(ours)  # pyright: ignore[reportUnknownMemberType]

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Shake hands with OpenSSL itself: asyncio's servers send no alert."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        connection = tls.wrap_bio(incoming, outgoing, server_side=True)
        with contextlib.suppress(ssl.SSLCertVerificationError, ssl.SSLError):
            while True:
                with contextlib.suppress(ssl.SSLWantReadError):
                    connection.do_handshake()
                writer.write(outgoing.read())
                incoming.write(await reader.read(65536))
        writer.write(outgoing.read())
        await reader.read()

    async with listening(refuse) as port:
        error = await failed(f"https://localhost:{port}", ssl_context=ours)
    assert (type(error), error.attempts, error.sent) == (TLSError, 1, False)
    assert f"the server localhost:{port} refused the TLS connection: tls" in str(error)
    assert words in str(error)


async def test_a_broken_record_in_mid_stream_is_transient() -> None:
    async with fault_server(tls=server_context(AUTHORITY)) as server:
        port = int(server.url.rpartition(":")[2])

        async def corrupting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", port)

            async def corrupt() -> None:
                while data := await from_server.read(65536):
                    writer.write(data if records < 2 else data[:-1] + bytes([data[-1] ^ 1]))

            records = 0
            corrupted = asyncio.create_task(corrupt())
            while data := await reader.read(65536):
                records += 1
                to_server.write(data)
            to_server.close()
            await corrupted

        async with listening(corrupting) as between:
            error = await failed(f"https://localhost:{between}", ssl_context=client_context(AUTHORITY))
    assert (type(error), error.attempts) == (TransportError, 4)
    assert "no complete response from the server localhost" in str(error)


async def test_a_fingerprint_of_the_connector_that_does_not_match() -> None:
    async with fault_server(tls=server_context(AUTHORITY)) as server:
        async with aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(b"0" * 32)) as connector:
            error = await failed(server.url, connector=connector)
    assert (type(error), error.attempts, server.heads) == (TLSError, 1, [])


async def test_a_server_without_tls() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(9)
        writer.write(b"HTTP/1.1 400 Bad\r\n\r\n")

    async with listening(plain) as port:
        error = await failed(f"https://localhost:{port}")
    assert isinstance(error, TLSError)
    assert str(error).endswith("it may not speak TLS on this port")


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class BothFamilies(AbstractResolver):
    """Resolve each name to one address of each family."""

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[Any]:
        families = (("127.0.0.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))
        return [
            {"hostname": host, "host": address, "port": port, "family": kind, "proto": 0, "flags": 0}
            for address, kind in families
        ]

    async def close(self) -> None:
        pass


async def test_what_refuses_is_named_with_its_side() -> None:
    port = unused_port()
    error = await failed(f"http://127.0.0.1:{port}")
    assert str(error) == f"no connection to the server 127.0.0.1:{port}: Connection refused (after 4 attempts)"
    error = await failed("https://api.example", proxy=f"http://user:hush@127.0.0.1:{port}")
    assert f"no connection to the proxy 127.0.0.1:{port}: Connection refused" in str(error)
    assert not error.sent


async def test_each_address_has_its_cause() -> None:
    async with aiohttp.TCPConnector(resolver=BothFamilies()) as connector:
        once = RetryPolicy(attempts=1)
        error = await failed(f"https://api.example:{unused_port()}", connector=connector, retry=once)
    assert "127.0.0.1: Connection refused" in str(error)
    assert "2001:db8::1: " in str(error)


@pytest.mark.parametrize("url", ["https://no-such-host.invalid", "https://[fe80::1%nowhere]:9"])
async def test_the_resolvers_numbers_are_not_the_systems(url: str) -> None:
    error = await failed(url)
    assert os.strerror(socket.EAI_NONAME) not in str(error)
    assert "Unknown error" not in str(error)
    assert "ame" in str(error).rpartition(": ")[2]  # "Name or service not known", or what this system says


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nX-A: " + b"hush" * 20_000 + b"\r\n\r\n", "its headers are too large"),
        (b"hush hush\r\n\r\n", "it is not valid HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhush", "it is not valid HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhush", "its body was cut off or garbled"),
        (b"HTTP/1.1 200 OK\r\nX-A: hush\r\n", "the connection was closed"),
    ],
)
async def test_what_breaks_off_is_not_quoted(sent: bytes, words: str) -> None:
    error, server = await failure([sent] * 4)
    place = server.url.removeprefix("http://")
    assert str(error) == f"no complete response from the server {place}: {words} (after 4 attempts)"
    assert error.sent


async def test_what_runs_out_of_time_is_named() -> None:
    async with fault_server([stall] * 4) as server:
        error = await failed(server.url, attempt_timeout=0.05)
        place = server.url.removeprefix("http://")
    assert isinstance(error, TransportTimeoutError)
    assert str(error) == f"no complete response within 0.05 s from the server {place} (after 4 attempts)"
    assert error.sent


@pytest.mark.parametrize("name", PROXIES)
async def test_a_proxy_of_the_environment_is_mentioned(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://user:hush@proxy.example:3128")
    hint = f"({name} is set, but this library ignores it: pass proxy=)"
    url = f"http://127.0.0.1:{unused_port()}"
    assert hint in str(await failed(url))
    assert hint in str(await failed("https://no-such-host.invalid"))
    assert "is set" not in str(await failed("https://api.example", proxy=url))
    error, _ = await failure([answer(b"", "500 No")] * 4)
    assert "is set" not in str(error)


@pytest.mark.parametrize("kind", [TimeoutError, asyncio.TimeoutError, aiohttp.ServerTimeoutError])
async def test_a_mocked_timeout_is_a_timeout(kind: type[Exception]) -> None:
    with mocked_aiohttp() as mocked:
        mocked.get("http://127.0.0.1:9/backups?limit=100", exception=kind(), repeat=True)
        error = await failed("http://127.0.0.1:9")
    assert isinstance(error, TransportTimeoutError)
    assert error.sent  # for all that is known


async def test_ssl_cert_file_is_read_for_each_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = trustme.CA()
    async with fault_server(tls=server_context(AUTHORITY)) as server:
        for authority, trusted in ((other, False), (AUTHORITY, True), (other, False)):
            path = tmp_path / f"{trusted}.pem"
            authority.cert_pem.write_to_path(path)
            monkeypatch.setenv("SSL_CERT_FILE", str(path))
            async with client_of(server) as client:
                with contextlib.nullcontext() if trusted else pytest.raises(TLSError):
                    assert await listed(client) == server.ids
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent"))
        async with client_of(server) as client:
            with pytest.raises(TLSError):
                await listed(client)


HANGING = """
import asyncio, socket, sys, time
from pinecone_backups_async import BackupsClient, RetryPolicy, TransportTimeoutError
socket.getaddrinfo = lambda *_, **__: time.sleep(20)
async def main():
    async with BackupsClient("key", attempt_timeout=0.2, retry=RetryPolicy(attempts=1)) as client:
        try:
            if sys.argv[1] == "cancelled":
                async with asyncio.timeout(0.2):
                    await client.fetch_page(attempt_timeout=9)
            await client.fetch_page()
        except TimeoutError as error:
            print(type(error).__name__)
began = time.monotonic()
asyncio.run(main())
print(time.monotonic() - began < 2)
"""


@pytest.mark.parametrize(("how", "kind"), [("timed out", "TransportTimeoutError"), ("cancelled", "TimeoutError")])
def test_name_resolution_that_hangs_holds_nothing(how: str, kind: str) -> None:
    done = subprocess.run([sys.executable, "-c", HANGING, how], capture_output=True, text=True, timeout=15, check=True)
    assert (done.stdout.split(), done.stderr) == ([kind, "True"], "")


def wait_for(release: threading.Event, *_: object) -> None:
    release.wait(5)


async def test_lookups_are_those_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    lookups, address = Lookups(), ("127.0.0.1", 80)
    flags = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    assert await lookups.getnameinfo(address, flags) == socket.getnameinfo(address, flags)
    release = threading.Event()
    monkeypatch.setattr(socket, "getnameinfo", functools.partial(wait_for, release))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(lookups.getnameinfo(address, flags), 0.02)
    release.set()
    await asyncio.sleep(0.05)  # what comes after the cancellation is dropped


async def test_a_resolver_without_threads_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiohttp, "DefaultResolver", BothFamilies)
    async with fault_server() as server, client_of(server) as client:
        assert await listed(client) == server.ids
