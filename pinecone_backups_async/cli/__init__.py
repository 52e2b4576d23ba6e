"""The `pinecone-backups` command; needs the extra [cli]. Says what to install where that is missing."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command with the arguments of this process, and exit with its code."""
    try:
        from ._app import run  # noqa: PLC0415 - cyclopts and rich may be absent
    except ModuleNotFoundError as error:
        if error.name not in {"cyclopts", "rich"}:
            raise
        sys.exit("pinecone-backups needs more than the library: pip install 'pinecone-backups-async[cli]'")
    sys.exit(run())
