"""What the service sent, made safe to show: without secrets in any spelling, in one line, short. Knows no HTTP."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, cast

import attrs

from ._models import MODELS

MAX_TEXT: Final = 500
MAX_SEARCHED: Final = 8_192  # characters of a text
MAX_DETAILS: Final = 1_000  # values
LAYERS: Final = 4  # of escapes that are looked through
LONGEST_ESCAPE: Final = 24  # characters that one character of a secret may take, as in %255Cu0070
_SHORTEST_ANY_CASE: Final = 8
_ENTITIES: Final = {"quot": '"', "amp": "&", "apos": "'", "lt": "<", "gt": ">"}
# How JSON, URLs and HTML write a character, and the NULs of UTF-16.
_ESCAPE: Final = re.compile(
    r"\\u(?P<json>[0-9a-fA-F]{4})|%(?P<percent>[0-9a-fA-F]{2})|&#[xX](?P<html_hex>[0-9a-fA-F]{1,4});?"
    r"|&#(?P<html>[0-9]{1,5});?|&(?P<entity>quot|amp|apos|lt|gt);|\\(?P<plain>[^u])|\x00"
)
_WORDS: Final = "|".join(
    sorted(
        {"data", "error", "indexes", "next", "pagination", *(a.name for model in MODELS for a in attrs.fields(model))}
    )
)
_OUR_PATH: Final = re.compile(rf"\$?(?:\.(?:{_WORDS})(?![^.\[])|\[[0-9]+\])*")


def _pattern(secrets: Sequence[str]) -> re.Pattern[str]:
    """Return the pattern of all secrets. One that has escapes itself is also found without them, as texts are read."""
    known = list(secrets)
    for _ in range(LAYERS):
        known += [_unescaped(text, list(range(len(text) + 1)))[0] for text in known[-len(secrets) :]]
    ways = [f"(?i:{re.escape(s)})" if len(s) >= _SHORTEST_ANY_CASE else re.escape(s) for s in dict.fromkeys(known) if s]
    return re.compile("|".join(ways) or "(?!)")


def _unescaped(text: str, places: list[int]) -> tuple[str, list[int]]:
    """Take off one layer of escapes; `places` says where each character, and the end, is in the first text."""
    pieces: list[str] = []
    kept: list[int] = []
    end = 0
    for match in _ESCAPE.finditer(text):
        start, code = match.start(), match["json"] or match["percent"] or match["html_hex"]
        character = chr(int(code, 16)) if code else match["plain"] or _ENTITIES.get(match["entity"] or "", "")
        character = chr(int(match["html"])) if match["html"] else character
        pieces += text[end:start], character
        kept += places[end:start] + [places[start]] * len(character)
        end = match.end()
    return "".join(pieces) + text[end:], kept + places[end:]


class SafeText:
    """Masks secrets in text of the service's, and bounds it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted(secrets, key=len, reverse=True)
        self._longest = LONGEST_ESCAPE * max(map(len, known), default=0)
        self._shortest = len(known[-1]) if known else 0
        pattern = _pattern(known)
        self._pattern: Callable[[], re.Pattern[str]] = lambda: pattern  # so that no attribute shows it

    def text(self, text: str) -> str:
        """Return a text as it may be shown: masked, in one line, of at most 500 characters."""
        if len(text) < self._shortest and text.isprintable():  # too short for a secret, as most request ids
            return text[:MAX_TEXT]
        window, end = text[: MAX_SEARCHED + self._longest], 0
        pieces: list[str] = []
        for start, stop in self._spans(window):
            if stop > end:
                pieces += window[end:start], "***"
                end = stop
        # If the text continues, a secret may be cut in two at the end of the window.
        pieces.append(window[end:] if len(window) == len(text) else window[end : -self._longest or None])
        return "".join(map(_printable, "".join(pieces)[:MAX_TEXT]))[:MAX_TEXT]

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Return where secrets are, in order: as they are, and below up to four layers of escapes."""
        spans = [match.span() for match in self._pattern().finditer(text)]
        places = list(range(len(text) + 1)) if _ESCAPE.search(text) else []
        for _ in range(LAYERS if places else 0):
            text, places = _unescaped(text, places)
            spans += [(places[match.start()], places[match.end()]) for match in self._pattern().finditer(text)]
        return sorted(spans)

    def path(self, path: str) -> str:
        """Return the path of a field. The names of our own models stay as they are, however short the key is."""
        ours = path[: _OUR_PATH.match(path).end()]  # type: ignore[union-attr]
        return (ours + self.text(path[len(ours) :]))[:MAX_TEXT]

    def json(self, value: Any) -> Any:
        """Return decoded JSON with every text in it safe; of more than 1,000 values, the first ones."""
        left = iter(range(1, MAX_DETAILS))

        def safe(value: Any) -> Any:
            if isinstance(value, dict):
                pairs = zip(cast("dict[str, Any]", value).items(), left, strict=False)
                return {self.text(key): safe(item) for (key, item), _ in pairs}
            if isinstance(value, list):
                return [safe(item) for item, _ in zip(cast("list[Any]", value), left, strict=False)]
            if value is None or isinstance(value, bool):
                return value
            text = self.text(str(value))
            return value if text == str(value) and not isinstance(value, str) else text

        return safe(value)


def _printable(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape", "replace").decode()
