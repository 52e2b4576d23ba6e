"""Pages as the service cuts them: by position, with tokens that carry their page size. Knows neither HTTP nor rows.

A position is a place in the list as it is now, so what is added or deleted between two requests shifts all later pages,
as it does in the service.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MAX_LIMIT", "Window", "odd_page", "page"]

MAX_LIMIT: Final = 100
_TOKEN: Final = re.compile(rb"skip=([0-9]{8})&size=([0-9]{3})")


@attrs.frozen
class Window:
    """A piece of a list: the position where it begins, and its size. A token is a window in base64."""

    position: int
    size: int

    @classmethod
    def from_token(cls, token: str) -> Window | None:
        """Return the window of a token, None if it is malformed."""
        try:
            match = _TOKEN.fullmatch(base64.b64decode(token, validate=True))
        except ValueError:
            return None
        if match is None or not 1 <= int(match[2]) <= MAX_LIMIT:
            return None
        return cls(int(match[1]), int(match[2]))

    def token(self) -> str:
        """Return the token; it always ends in `==`, so that a client which encodes it wrongly is found out."""
        return base64.b64encode(f"skip={self.position:08d}&size={self.size:03d}".encode()).decode()

    def moved_by(self, rows: int) -> Window:
        """Return the window that many rows further on."""
        return attrs.evolve(self, position=self.position + rows)


def page(rows: Sequence[Any], window: Window) -> tuple[Sequence[Any], Window | None]:
    """Return the rows of a page and the window of the next one, which every full page has; it may be empty."""
    data = rows[window.position : window.position + window.size]
    return data, window.moved_by(window.size) if len(data) == window.size else None


def odd_page(rows: Sequence[Any], window: Window) -> tuple[Sequence[Any], Window | None]:
    """Return a page as `page` does, but each repeats the last row of the one before, and the last one is missing."""
    data = rows[window.position : window.position + window.size]
    following = window.moved_by(max(1, window.size - 1))
    is_last = following.position + following.size >= len(rows)
    return data, None if is_last else following
