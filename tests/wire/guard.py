"""What every test of faults is held to: nothing leaks, and the key is nowhere.

`find_canary` walks what a value holds: its repr, str, attributes, items, and where it is an exception its arguments,
causes and the local variables of the package's and the libraries' frames (not the tests' own: they know the key). It
returns where it found it.
"""

from __future__ import annotations

import asyncio
import types
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

CANARY = "pcsk_canary-4f1d2c7e9b"
_LEAVES = (str, bytes, int, float, type(None), type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)
_MOST_VISITED = 20_000


def open_descriptors() -> int:
    """Return how many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def foreign_tasks() -> set[asyncio.Task[Any]]:
    """Return the tasks of the running loop but this one."""
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, bytes):
        yield value.decode(errors="replace")
    elif isinstance(value, str):
        yield value
    else:
        yield repr(value)
        yield str(value)


def _parts_of_exception(value: BaseException) -> Iterator[tuple[str, object]]:
    yield from (("args", value.args), ("__cause__", value.__cause__), ("__context__", value.__context__))
    trace = value.__traceback__
    while trace is not None:
        if "/tests/" not in trace.tb_frame.f_code.co_filename:
            yield f"locals of {trace.tb_frame.f_code.co_qualname}", dict(trace.tb_frame.f_locals)
        trace = trace.tb_next


def _parts(value: Any) -> Iterator[tuple[str, object]]:
    attributes: dict[str, object] = getattr(value, "__dict__", {})
    slots = [name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ()) if isinstance(name, str)]
    yield from ((f".{name}", item) for name, item in attributes.items())
    yield from ((f".{name}", getattr(value, name)) for name in slots if hasattr(value, name))
    if isinstance(value, BaseException):
        yield from _parts_of_exception(value)
    if isinstance(value, Mapping):
        for key, item in cast("Mapping[object, object]", value).items():
            yield f"[{key!r:.40}]", item
    elif isinstance(value, list | tuple | set | frozenset | deque):
        for number, item in enumerate(cast("Iterable[object]", value)):
            yield f"[{number}]", item


def find_canary(value: object, canary: str = CANARY) -> list[str]:
    """Return the paths on which the canary can be found from a value."""
    found: list[str] = []
    seen: dict[int, object] = {}  # ids are only unique while the objects live
    ahead: deque[tuple[str, object]] = deque([("value", value)])
    while ahead and len(seen) < _MOST_VISITED:
        path, current = ahead.popleft()
        if id(current) in seen:
            continue
        seen[id(current)] = current
        if any(canary in text for text in _texts(current)):
            found.append(path)
        if not isinstance(current, _LEAVES):
            ahead.extend((f"{path}{name}", part) for name, part in _parts(current))
    return found
