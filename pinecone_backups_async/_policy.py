"""RetryPolicy: the settings of retrying, with the sleep, the clock and the randomness that tests replace."""

import random
import time
from collections.abc import Awaitable, Callable
from typing import cast

import attrs

from . import _arguments as checked


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

    attempts: int = 4
    base_delay: float = 0.5
    max_delay: float = 8.0
    quota: int = 500
    sleep: Callable[[float], Awaitable[None]] | None = attrs.field(default=None, repr=False, eq=False)
    # The system's: nobody else seeds it, and processes that were forked from one do not draw alike.
    random: Callable[[], float] = attrs.field(default=random.SystemRandom().random, repr=False, eq=False)
    clock: Callable[[], float] = attrs.field(default=time.monotonic, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        checked.count("attempts", self.attempts, least=1)
        checked.count("quota", self.quota, least=0)
        checked.seconds("base_delay", self.base_delay)
        checked.seconds("max_delay", self.max_delay)
        for name, hook in {"sleep": self.sleep or time.sleep, "random": self.random, "clock": self.clock}.items():
            if not callable(hook):
                raise checked.refused(name, f"must be callable, not {type(hook).__name__}")

    def delay(self, retry: int) -> float:
        """Return the seconds to wait before the n-th retry, drawn from 0 to its longest wait.

        Raises ConfigurationError if `random` returns anything but a number from 0 to 1.
        """
        return self.draw() * min(self.max_delay, self.base_delay * 2.0 ** min(retry - 1, 64))

    def draw(self) -> float:
        """Return a random number from 0 to 1; raise ConfigurationError if `random` returns anything else."""
        number = cast("object", self.random())
        if not isinstance(number, int | float) or not 0 <= number <= 1:
            raise checked.refused("random", f"must return a number from 0 to 1, not {number!r}")
        return float(number)


def checked_policy(value: object) -> RetryPolicy:
    """Return the policy, or the default one for None."""
    policy = RetryPolicy() if value is None else value
    if not isinstance(policy, RetryPolicy):
        raise checked.refused("retry", "must be a RetryPolicy such as RetryPolicy(attempts=3)")
    return policy
