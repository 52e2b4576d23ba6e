"""RetryPolicy: the settings of retrying, with the sleep, the clock and the randomness that tests replace."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

import attrs

from . import _arguments as checked
from ._errors import ConfigurationError


def _own_random() -> Callable[[], float]:
    # The system's: nobody else seeds it, and processes that were forked from one do not draw alike.
    return random.SystemRandom().random


def _check_count(_: Any, attribute: attrs.Attribute[int], value: object) -> None:
    checked.count(attribute.name, value, least=1 if attribute.name == "attempts" else 0)


def _check_seconds(_: Any, attribute: attrs.Attribute[float], value: object) -> None:
    checked.seconds(attribute.name, value)


def _check_callable(_: Any, attribute: attrs.Attribute[Any], value: object) -> None:
    if not callable(value):
        message = f"{attribute.name} must be callable, not {type(value).__name__}"
        raise ConfigurationError(message, argument=attribute.name)


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often a request is sent again, and how long the client waits before that.

    - `attempts`: how many requests a call may send, the first one included.
    - `base_delay`, `max_delay`: in seconds. The wait before the n-th retry is random, from 0 to
      min(`max_delay`, `base_delay` * 2^(n-1)), and is never shorter than a Retry-After.
    - `quota`: the retry budget of a client. A retry costs 5, or 10 after a timeout; successes pay it back.
    - `sleep`: for tests: an async callable that takes seconds. None: the client waits by itself, and closing it ends
      the wait.
    - `random`: for tests: a callable that returns a float from 0 to 1.
    - `clock`: for tests: a callable that returns seconds and never goes back.

    Raises ConfigurationError for a value that is not allowed.
    """

    attempts: int = attrs.field(default=4, validator=_check_count)
    base_delay: float = attrs.field(default=0.5, validator=_check_seconds)
    max_delay: float = attrs.field(default=8.0, validator=_check_seconds)
    quota: int = attrs.field(default=500, validator=_check_count)
    sleep: Callable[[float], Awaitable[None]] | None = attrs.field(
        default=None, validator=attrs.validators.optional(_check_callable), repr=False, eq=False
    )
    random: Callable[[], float] = attrs.field(factory=_own_random, validator=_check_callable, repr=False, eq=False)
    clock: Callable[[], float] = attrs.field(default=time.monotonic, validator=_check_callable, repr=False, eq=False)

    def delay(self, retry: int) -> float:
        """Return the seconds to wait before the n-th retry: full jitter. Raises ConfigurationError as `draw` does."""
        return self.draw() * min(self.max_delay, self.base_delay * 2.0 ** min(retry - 1, 64))

    def draw(self) -> float:
        """Return a random number from 0 to 1; raise ConfigurationError if `random` returns anything else."""
        number: object = self.random()
        if not isinstance(number, int | float) or not 0 <= number <= 1:
            raise ConfigurationError(f"random must return a number from 0 to 1, not {number!r}", argument="random")
        return float(number)


def checked_policy(value: object) -> RetryPolicy:
    """Return the policy, or the default one for None."""
    if value is None:
        return RetryPolicy()
    if not isinstance(value, RetryPolicy):
        example = f"RetryPolicy(attempts={value})" if type(value) is int and value > 0 else "RetryPolicy(attempts=3)"
        kind = type(value).__name__
        raise ConfigurationError(f"retry must be a RetryPolicy such as {example}, not {kind}", argument="retry")
    return value
