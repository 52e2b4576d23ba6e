"""The server's life: what starts and ends it, scripts, lost answers, delays, hooks, and what it records."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import aiohttp
import pytest

from pinecone_backups_async import BackupsClient, ServiceError
from pinecone_backups_async.testing import Answer, FakePinecone, RecordedRequest
from pinecone_backups_async.testing.__main__ import main
from tests.support.clients import client_of, listed
from tests.support.raw_request import ask, get

CREATE = "POST /indexes/products/backups"
HTML = {"Content-Type": "text/html"}


async def test_scripted_answers_are_played_in_order(fake: FakePinecone) -> None:
    fake.play(
        Answer(status=502, body="<html>", headers=HTML),
        None,
        Answer.error(503, "UNAVAILABLE", "Try later.", headers={"retry-after": "7"}),
        Answer(body=b"\xff"),
    )
    html, normal, unavailable = [await get(fake) for _ in range(3)]
    assert (html.status, html.text, html.headers["Content-Type"]) == (502, "<html>", "text/html")
    assert (len(normal.ids), unavailable.status, unavailable.headers["Retry-After"]) == (4, 503, "7")
    broken = await ask(fake, "POST /anything")
    assert (broken.status, broken.text, len((await get(fake)).ids)) == (200, "\ufffd", 4)


async def test_a_lost_answer_has_its_effect_once(fake: FakePinecone) -> None:
    """What is refused has no effect to lose."""
    fake.play(Answer.lost(302, body="<html>", headers=HTML), None, Answer.lost(503))
    reply = await ask(fake, CREATE, json={}, allow_redirects=False)
    assert (reply.status, reply.text, reply.headers["Content-Type"]) == (302, "<html>", "text/html")
    assert len(fake.backups) == 5
    assert (await ask(fake, CREATE, json={})).status == 201
    assert ((await ask(fake, "DELETE /backups/x")).status, len(fake.backups)) == (503, 6)
    # Half of no body is nothing; aiohttp itself repeats an idempotent request whose connection is dropped.
    fake.play(Answer.lost(cut=True))
    assert (await ask(fake, "DELETE /backups/a")).status == 404
    assert (len(fake.backups), len(fake.requests)) == (5, 5)


DROPPED, CUT = aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError


@pytest.mark.parametrize(("answer", "error"), [
    (Answer.lost(), DROPPED), (Answer.lost(cut=True), CUT), (Answer.lost(delay=60), TimeoutError),
    (Answer.lost(201, body='{"backup_id": "'), json.JSONDecodeError),
    # Without `lost` there is no effect either.
    (Answer(body={"data": []}, cut=True), CUT), (Answer(body={"data": []}, dropped=True), DROPPED),
])  # fmt: skip
async def test_no_response_or_half_of_one(fake: FakePinecone, answer: Answer, error: type[Exception]) -> None:
    fake.play(answer)
    with pytest.raises(error):
        async with asyncio.timeout(0.3):
            (await ask(fake, CREATE, json={})).json  # noqa: B018 - garbled is found out when it is read
    assert (len(fake.requests), len(fake.backups)) == (1, 5 if answer.takes_effect else 4)
    assert len((await get(fake)).ids) == len(fake.backups)


async def test_it_ends_at_once_though_a_request_waits() -> None:
    arrived = asyncio.Event()
    async with FakePinecone(backups=1, delay=60, before_answer=lambda _: arrived.set()) as fake:
        waiting = asyncio.create_task(get(fake))
        await arrived.wait()
        start = time.monotonic()
    assert time.monotonic() - start < 1
    with pytest.raises(aiohttp.ClientError):
        await waiting


async def test_it_records_requests_and_shows_no_secret() -> None:
    fake = FakePinecone(indexes=["a/b"], api_key="pcsk_own")
    assert repr(fake) == "<FakePinecone: 0 backups, not running>"
    async with fake:
        query = {"limit": 7, "paginationToken": "a+b=c&d"}
        await ask(fake, "POST /indexes/a%2Fb/backups", query=query, json={"name": "canary"})
        await get(fake)
        assert repr(fake) == f"<FakePinecone: 1 backups, {fake.url}>"
    seen, listing = fake.requests
    assert (seen.method, seen.path) == ("POST", "/indexes/a/b/backups")
    assert seen.query == {"limit": "7", "paginationToken": "a+b=c&d"}
    assert (seen.json, seen.body, listing.json) == ({"name": "canary"}, b'{"name": "canary"}', None)
    assert seen.headers["api-key"] == seen.headers["API-KEY"] == "pcsk_own"
    assert [text in repr(seen) for text in ("pcsk_own", "canary", "'Api-Key': '***'")] == [False, False, True]


async def test_it_has_an_address_only_while_it_runs() -> None:
    """It can run again, and leaving what does not run does nothing."""
    fake = FakePinecone(backups=1)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="only inside `async with`"):
            _ = fake.url
        async with fake:
            assert (await get(fake)).status == 200
            for enter in (fake.__aenter__, lambda: asyncio.to_thread(fake.__enter__)):
                with pytest.raises(RuntimeError, match="runs already"):
                    await enter()
    assert len(fake.requests) == 2
    await fake.__aexit__(None, None, None)
    fake.__exit__(None, None, None)


def test_the_thread_of_a_server_ends_with_it() -> None:
    """Where its port is taken none begins."""
    threads = threading.active_count()
    with FakePinecone():
        assert threading.active_count() == threads + 1
    with socket.create_server(("127.0.0.1", 0)) as taken:
        second = FakePinecone(port=taken.getsockname()[1])
        for enter in (second.__enter__, lambda: asyncio.run(second.__aenter__())):
            with pytest.raises(OSError, match="address already in use"):
                enter()
    assert threading.active_count() == threads


async def test_a_hook_sees_each_request_before_its_effect(fake: FakePinecone) -> None:
    async def delete_one(request: RecordedRequest) -> None:
        assert request is fake.requests[-1]
        await asyncio.sleep(0)
        fake.delete(fake.backups[0].backup_id)
        if len(fake.requests) == 3:
            fake.play(Answer(status=503))

    fake.before_answer = delete_one
    assert [len((await get(fake)).ids) for _ in range(2)] == [3, 2]
    assert (await get(fake)).status == 503


async def test_what_a_hook_raises_the_test_sees() -> None:
    def wrong(request: RecordedRequest) -> None:
        assert request.query == {}, "not this one"

    fake = FakePinecone(backups=5, before_answer=wrong)
    with pytest.raises(AssertionError, match="not this one"):
        async with fake, client_of(fake) as client:
            with pytest.raises(ServiceError):
                await client.fetch_page()
    async with fake:
        fake.before_answer = None
        assert (await get(fake)).status == 200


def test_as_a_program_it_serves_until_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """It prints what points a client at it."""

    async def count() -> int:
        async with BackupsClient() as client:
            return len(await listed(client))

    command = (sys.executable, "-W", "error", "-m", "pinecone_backups_async.testing", "--port", "0", "--backups", "120")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        *exports, last = [process.stdout.readline() for _ in range(3)]
        for line in exports:
            name, _, value = line.removeprefix("export ").rstrip("\n").partition("=")
            monkeypatch.setenv(name, value)
        assert last == f"# 120 backups at {os.environ['PINECONE_CONTROLLER_HOST']}/backups until Ctrl-C\n"
        assert asyncio.run(count()) == 120
        process.send_signal(signal.SIGINT)
        assert (*process.communicate(timeout=20), process.returncode) == ("", "", 0)


@pytest.mark.parametrize(("argument", "told"), [
    ("--backups=-1", "argument --backups: must be from 0 to 100000, not -1"),
    ("--port=65536", "argument --port: must be from 0 to 65535"), ("--port={taken}", "address already in use"),
])  # fmt: skip
async def test_wrong_use_is_2(fake: FakePinecone, argument: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        await asyncio.to_thread(main, [argument.format(taken=fake.url.rpartition(":")[2])])
    assert (caught.value.code, told in capsys.readouterr().err) == (2, True)


THEIR_TEST = """
import pytest
from pinecone_backups_async import BackupsClient

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.{mark}
@pytest.mark.parametrize("time", [1, 2])
async def test_theirs(fake_pinecone, time):
    assert fake_pinecone.requests == []  # each test has its own
    async with BackupsClient(fake_pinecone.api_key, base_url=fake_pinecone.url) as client:
        assert len(await client.list_backups().to_list()) == 250
"""
LOOP = ["-o", "asyncio_default_fixture_loop_scope=function"]
ALONE = ["-p", "anyio.pytest_plugin", "-p", "pinecone_backups_async.testing.plugin"]


@pytest.mark.soak
@pytest.mark.parametrize(("mark", "prelude", "options"), [
    ("asyncio(loop_scope='session')", "", ["--asyncio-mode=strict", *LOOP]),
    ("anyio", "", ["--asyncio-mode=auto", *LOOP]),
    ("anyio", "sys.modules['pytest_asyncio'] = None", ALONE),  # as if it were not installed
])  # fmt: skip
def test_the_plugin_in_a_project_of_its_own(
    mark: str, prelude: str, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_theirs.py").write_text(THEIR_TEST.format(mark=mark))
    if options is ALONE:
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    arguments = ["-q", "-p", "no:cacheprovider", "-W", "error", *options, "."]
    command = [sys.executable, "-c", f"import sys; {prelude}\nimport pytest; sys.exit(pytest.main({arguments}))"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, "2 passed" in result.stdout) == (0, True), result.stdout + result.stderr
