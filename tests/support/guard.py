"""What tests are held to: nothing leaks, and the key is nowhere.

`places` walks what a value holds: its attributes, items, and where it is an exception its arguments, causes and the
local variables of the package's and the libraries' frames (not the tests' own: they know the key). `find_canary` looks
at the repr and str of each.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import types
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

TESTS = str(Path(__file__).parents[1])  # whose frames know the key
CANARY = "pcsk_canary-4f1d2c7e9b"
KEYS_BEGIN_WITH = "pcsk_"  # the canary, and the keys of all other tests whose key tells anything
_LEAVES = (str, bytes, int, float, type(None), type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)
_MOST_VISITED = 20_000


class Lookout(logging.Handler):
    """Look for keys in each record: in its message, its arguments, what was added to it, its traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        told = self.format(record) + repr(vars(record))
        if KEYS_BEGIN_WITH in told:
            self.found.append(f"{record.name}: {told}")


@contextlib.contextmanager
def looking_at_logs() -> Generator[Lookout]:
    """Let all loggers tell everything; yield who looks at it."""
    root, lookout = logging.getLogger(), Lookout()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(lookout)
    try:
        yield lookout
    finally:
        root.removeHandler(lookout)
        root.setLevel(level)


def open_descriptors() -> Counter[str]:
    """Return what this process has open: how many sockets, pipes, of each file.

    Not by their numbers: uvloop makes its own two sockets anew whenever it runs. Nor the one that it
    keeps for the day that there are no more descriptors.
    """
    found: Counter[str] = Counter()
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that this very reading took
            found[str(descriptor.readlink()).partition(":[")[0]] += 1
    del found[os.devnull]
    return found


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
        if not trace.tb_frame.f_code.co_filename.startswith(TESTS):
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


def places(value: object) -> Iterator[tuple[str, object]]:
    """Yield all that can be reached from a value, each with its path, nearest first."""
    seen: dict[int, object] = {}  # ids are only unique while the objects live
    ahead: deque[tuple[str, object]] = deque([("value", value)])
    while ahead and len(seen) < _MOST_VISITED:
        path, current = ahead.popleft()
        if id(current) in seen:
            continue
        seen[id(current)] = current
        yield path, current
        if not isinstance(current, _LEAVES):
            ahead.extend((f"{path}{name}", part) for name, part in _parts(current))


def find_canary(value: object, *secrets: str) -> list[str]:
    """Return the paths on which the canary, or one of these secrets, can be found from a value."""
    sought = secrets or (CANARY,)
    return [path for path, place in places(value) if any(secret in text for text in _texts(place) for secret in sought)]
