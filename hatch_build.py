"""Build hook: the README as a package index shows it, where links and pictures of the repository lead nowhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

PICTURE = re.compile(r"^(<img [^>]*>|!\[[^\]]*\]\((?!https?:)[^)]*\))\n+", re.MULTILINE)
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]*\)")


def without_relative_links(readme: str) -> str:
    """Return the text without the pictures, and with the text of each relative link in its place."""
    return LINK.sub(r"\1", PICTURE.sub("", readme))


class IndexReadme(MetadataHookInterface):
    """The hook that hatchling calls."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the long description."""
        text = without_relative_links(Path(self.root, "README.md").read_text(encoding="utf-8"))
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
