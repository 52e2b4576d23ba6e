"""The wall, swept: every failing path, raised, cancelled, timed out and interrupted by a signal handler that raises.

Nothing that can be reached from what reached the caller holds the key, a header's value, a proxy's password or a body.
The frames of the tests are left out: they know all of it.
"""

from __future__ import annotations

import pytest

from pinecone_backups_async import _wall
from tests.support.failing_calls import HEADER, SECRETS, SETTINGS, SWEPT, constructed, ended
from tests.support.guard import find_canary

MOMENTS = {
    "raised": [0],
    "cancelled": [1, 2, 4, 9, 20],
    "timed out": [1, 9],
    "interrupted": [3, 8, 21, 40, 75, 110, 160],
}


def shown(raised: BaseException | None) -> list[str]:
    return [] if raised is None else [place for secret in SECRETS for place in find_canary(raised, secret)]


def links(error: BaseException | None) -> list[BaseException]:
    """Return all causes and contexts of an exception."""
    found: list[BaseException] = []
    ahead = [error]
    for current in ahead:
        if current is not None:
            ahead += [link for link in (current.__cause__, current.__context__) if link not in found]
            found += [link for link in (current.__cause__, current.__context__) if link is not None]
    return found


# What was just being made or handed over when the handler raised is closed when it is collected.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Unclosed connection", "ignore::pytest.PytestUnraisableExceptionWarning")
]


@pytest.mark.parametrize("how", MOMENTS)
@pytest.mark.parametrize("name", SWEPT)
async def test_nothing_is_shown(name: str, how: str) -> None:
    outcomes = [await ended(SWEPT[name], how, moment) for moment in MOMENTS[how]]
    assert [shown(outcome) for outcome in outcomes] == [[]] * len(outcomes)
    assert outcomes[0] is not None
    modules = [type(link).__module__ for outcome in outcomes for link in links(outcome)]
    assert not [module for module in modules if module.startswith(("pinecone", "aiohttp"))]


@pytest.mark.parametrize("name", SETTINGS)
def test_no_constructor_shows_anything(name: str) -> None:
    outcomes = [constructed(SETTINGS[name], line) for line in (0, *range(5, 60, 9))]
    assert [shown(outcome) for outcome in outcomes] == [[]] * len(outcomes)
    assert outcomes[0] is not None


@pytest.mark.parametrize("how", MOMENTS)
async def test_without_the_wall_all_of_it_is_shown(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wall, "enabled", False)
    found: set[str] = set()
    for name in ("stalled", "create, broken", "a proxy that stalls", "no page"):
        for moment in MOMENTS[how]:
            outcome = await ended(SWEPT[name], how, moment)
            found |= {secret for secret in SECRETS if outcome is not None and find_canary(outcome, secret)}
    assert {HEADER} <= found
    assert shown(constructed(SETTINGS["key"]))
