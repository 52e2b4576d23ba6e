"""What the service sent, made safe to show: without secrets in any spelling, in one line, short. Knows no HTTP."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import islice
from typing import Any, Final, cast

import attrs

from ._models import MODELS

MAX_TEXT: Final = 500
MAX_SEARCHED: Final = 8_192  # characters of a text
MAX_DETAILS: Final = 1_000  # values
MAX_DETAILS_TEXT: Final = 65_536  # characters
MAX_DETAILS_DEPTH: Final = 20
_LONGEST_SPELLING: Final = 16  # characters that one character of a secret may take, as in &#x000070;
_SHORTEST_ANY_CASE: Final = 8
_ENTITIES: Final = {'"': "quot", "&": "amp", "'": "apos", "<": "lt", ">": "gt"}
_WORDS: Final = "|".join(
    sorted(
        {"data", "error", "indexes", "next", "pagination", *(a.name for model in MODELS for a in attrs.fields(model))}
    )
)
_OUR_PATH: Final = re.compile(rf"\$?(?:\.(?:{_WORDS})(?![^.\[])|\[[0-9]+\])*")


def _spellings(character: str) -> str:
    """Return a pattern of the ways in which one character may be written: in JSON, percent-encoded, in HTML, UTF-16.

    All repetitions are bounded, so that no text makes the search slow.
    """
    code, plain = f"{ord(character):02x}", re.escape(character)
    entity = f"|&{_ENTITIES[character]};" if character in _ENTITIES else ""
    escaped = rf"\\{{1,4}}(?:{plain}|u00{code})|%(?:25){{0,3}}{code}|&#0{{0,4}}{ord(character)};|&#x0{{0,4}}{code};"
    return f"(?:{plain}|(?i:{escaped}{entity}))" + "\x00{0,3}"


def _pattern(secret: str) -> str:
    text = "".join(map(_spellings, secret))
    return f"(?i:{text})" if len(secret) >= _SHORTEST_ANY_CASE else text


def _matcher(secrets: Sequence[str]) -> Callable[[], re.Pattern[str]]:
    """Return a function that makes the pattern of all secrets when it is first needed; no attribute holds it."""
    return cache(lambda: re.compile("|".join(map(_pattern, secrets)) or "(?!)"))


class SafeText:
    """Masks secrets in text of the service's, and bounds it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted(secrets, key=len, reverse=True)
        self._longest = _LONGEST_SPELLING * max(map(len, known), default=0)
        self._matcher = _matcher(known)

    def __repr__(self) -> str:
        return "<SafeText>"

    def text(self, text: str) -> str:
        """Return a text as it may be shown: masked, in one line, of at most 500 characters."""
        window, end = text[: MAX_SEARCHED + self._longest], 0
        pieces: list[str] = []
        for match in self._matcher().finditer(window):
            pieces += window[end : match.start()], "***"
            end = match.end()
        # Where the text goes on, a secret may be cut in two at the end of the window.
        pieces.append(window[end:] if len(window) == len(text) else window[end : -self._longest or None])
        return "".join(map(_printable, "".join(pieces)[:MAX_TEXT]))[:MAX_TEXT]

    def path(self, path: str) -> str:
        """Return the path of a field. The names of our own models stay as they are, however short the key is."""
        ours = path[: _OUR_PATH.match(path).end()]  # type: ignore[union-attr]
        return (ours + self.text(path[len(ours) :]))[:MAX_TEXT]

    def json(self, value: Any) -> Any:
        """Return decoded JSON with every text in it safe. What is too deep or too much is left out: None."""
        return self._json(value, _Budget(), 0)

    def _json(self, value: Any, budget: _Budget, depth: int) -> Any:
        if depth == MAX_DETAILS_DEPTH or not budget.pays(value):
            return None
        if isinstance(value, dict):
            pairs = islice(cast("dict[str, Any]", value).items(), budget.values)
            return {self.text(key): self._json(item, budget, depth + 1) for key, item in pairs if budget.pays(key)}
        if isinstance(value, list):
            items = islice(cast("list[Any]", value), budget.values)
            return [self._json(item, budget, depth + 1) for item in items]
        if value is None or isinstance(value, bool):
            return value
        text = self.text(str(value))
        return value if text == str(value) and not isinstance(value, str) else text


@attrs.define
class _Budget:
    """What may still be shown of an error's details."""

    values: int = MAX_DETAILS
    characters: int = MAX_DETAILS_TEXT

    def pays(self, value: object) -> bool:
        self.values -= 1
        self.characters -= len(value) if isinstance(value, str) else 0
        too_long = isinstance(value, int) and abs(value) > sys.maxsize  # its digits are slow to write
        return self.values >= 0 and self.characters >= 0 and not too_long


def _printable(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape", "replace").decode()
