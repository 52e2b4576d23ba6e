"""The private modules of the package as docs/design.md draws them: the layer of each, bottom up, and its libraries."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIBRARIES = ("aiohttp", "yarl", "tenacity", "cattrs", "msgspec")
_DRAWING = (ROOT / "docs/design.md").read_text().split("```text")[1].split("```")[0]
_ROWS: list[tuple[str, str, str]] = re.findall(r"^ +(\d) +(\w+)\.py +(.*(?:\n {8,}.*)*)", _DRAWING, re.MULTILINE)
LAYERS = {name: int(layer) for layer, name, _ in reversed(_ROWS)}
IMPORTERS = {library: {name for _, name, text in _ROWS if library in text.split("   ", 1)[-1]} for library in LIBRARIES}
