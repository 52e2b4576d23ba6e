"""The guard around every test: nothing is left open or running, no error goes unhandled, and no log tells a key.

What is left open is found as a descriptor: a connection that is held is one too. Garbage is collected after each test,
so that a ResourceWarning, which is an error, falls on the test that caused it; what was there before the tests of a
module is frozen, which makes that cheap. Fixtures of a module are set up before the guard of its first test looks, and
torn down after that of its last.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
import os
import signal
import time
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from tests.support.guard import foreign_tasks, looking_at_logs, open_descriptors
from tests.support.timing import reruns

# Who starts the tests in the background may have them ignore Ctrl-C, and every process that they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
TURNS_TO_SETTLE = 500  # of which closed sockets take a few, at both ends


@pytest.fixture(scope="module", autouse=True)
def cheap_collections() -> None:
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for rerun in reruns:
        terminalreporter.write_line(f"late at first, then in time: {rerun}")


@pytest.fixture(autouse=True)
def no_settings() -> Generator[None]:
    """Whoever runs the tests may have settings of their own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("PINECONE_", "SSL_CERT")) or "proxy" in name.lower():
                patch.delenv(name)
        yield


@pytest.fixture
async def guard_of_the_loop() -> AsyncGenerator[None]:
    loop = asyncio.get_running_loop()
    unhandled: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    descriptors, tasks = open_descriptors(), foreign_tasks()
    yield
    gc.collect()
    for _ in range(TURNS_TO_SETTLE):
        if open_descriptors() <= descriptors and foreign_tasks() <= tasks:
            break
        await asyncio.sleep(0.002)
    assert foreign_tasks() - tasks == set()
    assert not open_descriptors() - descriptors
    assert unhandled == []


@pytest.fixture(autouse=True)
def guard(request: pytest.FixtureRequest) -> Generator[None]:
    captured: Any = request.config.pluginmanager.get_plugin("logging-plugin")
    captured.caplog_handler.setLevel(logging.getLogger().level)  # so that caplog looks as if nobody else did
    with looking_at_logs() as lookout:
        if inspect.iscoroutinefunction(request.function):
            request.getfixturevalue("guard_of_the_loop")
            yield
        else:
            descriptors = open_descriptors()
            yield
            gc.collect()
            for _ in range(TURNS_TO_SETTLE):
                if open_descriptors() <= descriptors:
                    break
                time.sleep(0.002)
            assert not open_descriptors() - descriptors
    assert lookout.found == []
    assert logging.getLogger("pinecone_backups_async").level == logging.NOTSET  # or the next test sees less
