"""The wall: keeps secrets out of the tracebacks of errors that leave a public call. Knows exceptions; knows no secret.

Theory of operation. Reports and debuggers show the local variables of every frame of a traceback, and those of what is
chained to it. While a call runs, frames of this package, of aiohttp and of asyncio hold the API key, the password of a
proxy, headers and bodies. Instead of keeping each of these frames clean, `walled` cleans all of them at once, when
the call ends with an exception of any kind:

- The variables of all frames below the wall are dropped; files, lines and names stay, so a traceback reads as before.
- A cause or a context that was caught by this package, aiohttp or tenacity is cut off. What stays as context is what
  the caller was handling when it called. The cause of an exception from a hook of the user stays: the hook caught it.
- A CancelledError keeps the CancelledErrors that it is chained to: anyio looks among them for its own.

Frames without variables hold no reference to the error either, so an error is never part of a reference cycle. The
wall's own frame cannot be cleared while it runs, so it drops its arguments by hand. Clearing the frame of a suspended
generator closes the generator, before Python 3.13. A signal handler may raise inside the cleaning itself: each function
has two walls, and the outer one cleans what the inner one has left behind.

To look at the variables while developing, set `enabled = False` in this module.
"""

import asyncio
import functools
import inspect
import sys
import traceback
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

enabled = True
_INSIDE: Final = frozenset({"pinecone_backups_async", "aiohttp", "tenacity"})
_F = TypeVar("_F", bound=Callable[..., Any])
_C = TypeVar("_C")


def walled(function: _F) -> _F:
    """Return the function, sync or async, behind the wall: no exception that leaves it leads to its variables."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            with _Wall(), _Wall():
                return function(*args, **kwargs)
        finally:
            del args, kwargs

    async def call_async(*args: Any, **kwargs: Any) -> Any:
        try:
            with _Wall(), _Wall():
                return await function(*args, **kwargs)
        finally:
            del args, kwargs

    wall = call_async if inspect.iscoroutinefunction(function) else call
    return cast("_F", functools.wraps(function)(wall))


def walled_methods(kind: type[_C]) -> type[_C]:
    """Put the constructor and all public methods of a class behind the wall."""
    for name, member in list(vars(kind).items()):
        if inspect.isfunction(member) and (name == "__init__" or not name.startswith("_")):
            setattr(kind, name, walled(member))
    return kind


class _Wall:
    """A block that drops the variables of the frames of what it raises, and what is chained to it from inside."""

    def __enter__(self) -> None:
        self._handled = sys.exception()

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or not enabled:
            return
        traceback.clear_frames(error.__traceback__)
        cause = error.__cause__
        if cause is None or _was_caught_inside(cause):
            # `from None` was about the inside; what the caller handled may be shown.
            error.__cause__, error.__suppress_context__ = None, False
        else:
            _cut_contexts(cause, self._handled)
        _cut_contexts(error, self._handled)


def _cut_contexts(error: BaseException, handled: BaseException | None) -> None:
    """Replace the first context that may not stay by what the caller was handling. Hooks may have made circles."""
    for _ in range(1_000):
        context = error.__context__
        if error is handled or context is None or context is handled:
            return
        if isinstance(context, asyncio.CancelledError) and isinstance(error, asyncio.CancelledError):
            traceback.clear_frames(context.__traceback__)
        elif _was_caught_inside(context):
            error.__context__ = handled
            return
        error = context


def _was_caught_inside(error: BaseException) -> bool:
    """Return whether a package of `_INSIDE` caught the exception: a traceback begins in the frame that caught it."""
    trace = error.__traceback__
    module = type(error).__module__ if trace is None else trace.tb_frame.f_globals.get("__name__", "")
    return str(module).partition(".")[0] in _INSIDE
