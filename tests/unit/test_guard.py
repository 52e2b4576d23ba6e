"""The guard around every test catches what it is there for: each of these tests leaves something open, and fails."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LEAVING = """
import asyncio, logging, socket
from tests import conftest

conftest.TURNS_TO_SETTLE = 50
kept = []

async def test_a_task():
    kept.append(asyncio.create_task(asyncio.sleep(60)))
async def test_a_socket_of_the_loop():
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    kept.append(await asyncio.open_connection(*server.sockets[0].getsockname()))
    server.close()
def test_a_socket():
    kept.append(socket.socket())
def test_garbage_that_was_open():
    cycle = [socket.socket()]
    cycle.append(cycle)
async def test_an_unhandled_error():
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0.01)
def test_a_key_in_a_log():
    logging.getLogger("anybody").debug("sent %s", {"key": "pcsk_canary"})
async def test_a_key_in_what_a_record_carries():
    logging.getLogger("anybody").debug("sent", extra={"headers": ["pcsk_canary"]})
"""
GOOD = """
import asyncio, pytest, socket

@pytest.fixture(scope="module")
def listener():
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made
async def test_good(listener):
    _, writer = await asyncio.open_connection(*listener.getsockname())
    writer.close()
    await writer.wait_closed()
def test_good_with_a_loop_of_its_own(listener):
    asyncio.run(asyncio.sleep(0))
"""
OPTIONS = [
    *("-q", "--tb=no", "-W", "error", "-p", "tests.conftest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"),
    *("--asyncio-mode=auto", "-o", "addopts=", "-o", "asyncio_default_fixture_loop_scope=function"),
]


def test_the_guard_fails_these_and_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "test_leaving.py").write_text(LEAVING)
    (tmp_path / "test_good.py").write_text(GOOD)
    command = [sys.executable, "-m", "pytest", *OPTIONS, "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    told = [line for line in done.stdout.splitlines() if line.startswith(("ERROR", "FAILED"))]
    failed = {re.split(r"::| ", line)[2] for line in told}
    assert failed == set(re.findall(r"def (test_\w+)", LEAVING)), done.stdout
