"""What the service sent, made safe to show: without secrets in any spelling, in one line, short. Knows no HTTP.

Theory of operation. A secret that a text has as it is becomes `***`. Then the escapes are taken off what is left, layer
by layer: percent signs, JSON, HTML, the NULs of UTF-16. If a secret comes to light below one of them, its place in the
text is hard to say, so the whole text becomes `***`. Secrets lose their own escapes too, so that both sides meet.

Only the beginning of a text is shown. It is searched far enough beyond that to find every secret that begins in it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

MAX_TEXT: Final = 500
_LAYERS: Final = 4  # of escapes that are taken off
_LONGEST_ESCAPE: Final = 24  # characters that one character of a secret may take, as in %255Cu0070
TELLING: Final = 8  # characters; a shorter secret may be a part of many words, ours among them
_MASKED: Final = "\uffff"  # one for each character of a secret, until the text is cut
_ESCAPE: Final = (  # compiled when the first error comes, as it is of no use before
    r"(?:%|\\u00)(?P<code>[0-9a-fA-F]{2})|&#[xX]0*(?P<html_code>[0-9a-fA-F]{2});?|&#(?P<decimal>[0-9]{2,5});?"
    r"|&(?P<entity>quot|amp|apos|lt|gt);|\\(?P<plain>[^u])|\x00"
)
_ENTITIES: Final = {"quot": '"', "amp": "&", "apos": "'", "lt": "<", "gt": ">"}


class SafeText:
    """Masks secrets in text of the service's, and bounds it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = list(secrets)
        self._searched = MAX_TEXT + _LONGEST_ESCAPE * max(map(len, known), default=0)
        self._shortest = min((len(form) for secret in known for form in _unescaped(secret)), default=0)
        patterns = _pattern(known), _pattern([secret for secret in known if len(secret) >= TELLING])
        self._patterns: Callable[[], tuple[re.Pattern[str], ...]] = lambda: patterns  # so that no attribute shows them

    def text(self, text: str, *, ours: bool = False) -> str:
        """Return a text as it may be shown: masked, in one line, of at most 500 characters.

        In a sentence of `ours` with names of the service's, a very short secret is not looked for.
        """
        if len(text) < self._shortest and text.isprintable():  # such as most request ids: one comes with every page
            return text[:MAX_TEXT]
        every, telling = self._patterns()
        pattern = telling if ours else every
        masked = pattern.sub(lambda secret: _MASKED * len(secret[0]), text[: self._searched])
        if any(map(pattern.search, _unescaped(masked))):
            return "***"
        shown = re.sub(f"{_MASKED}+", "***", masked[:MAX_TEXT])
        return "".join(map(_printable, shown))[:MAX_TEXT]

    def is_clean(self, text: str) -> bool:
        """Return whether a text has no secret in any spelling."""
        every, _ = self._patterns()
        return not any(map(every.search, (text, *_unescaped(text))))


def _pattern(secrets: list[str]) -> re.Pattern[str]:
    forms = {re.escape(form) for secret in secrets for form in (secret, *_unescaped(secret)) if form}
    return re.compile("|".join(sorted(forms, key=len, reverse=True)) or "(?!)", re.IGNORECASE)


def _unescaped(text: str) -> Iterator[str]:
    """Yield a text without one layer of escapes, without two, and so on: what precedes a secret may hide it deeper."""
    for _ in range(_LAYERS):
        text = re.sub(_ESCAPE, _character, text)
        yield text


def _character(escape: re.Match[str]) -> str:
    code = escape["code"] or escape["html_code"]
    if code:
        return chr(int(code, 16))
    return chr(int(escape["decimal"])) if escape["decimal"] else escape["plain"] or _ENTITIES.get(escape["entity"], "")


def _printable(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape", "replace").decode()
