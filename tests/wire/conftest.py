"""The guard around every test of faults: no task, descriptor or unhandled error is left, and no log holds the key."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncGenerator

import pytest

from .guard import CANARY, foreign_tasks, open_descriptors


@pytest.fixture(autouse=True)
async def guard(caplog: pytest.LogCaptureFixture) -> AsyncGenerator[None]:
    caplog.set_level(logging.DEBUG)
    loop = asyncio.get_running_loop()
    unhandled: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    before, tasks = open_descriptors(), foreign_tasks()
    yield
    gc.collect()
    for _ in range(100):
        await asyncio.sleep(0)
        if open_descriptors() <= before and foreign_tasks() <= tasks:
            break
        await asyncio.sleep(0.01)
    assert foreign_tasks() <= tasks
    assert open_descriptors() <= before
    assert unhandled == []
    for record in caplog.records:
        assert CANARY not in record.getMessage() + repr(record.args) + repr(vars(record))
