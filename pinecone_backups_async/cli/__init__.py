"""The `pinecone-backups` command; needs the extra [cli]. Says what to install where that is missing."""

from __future__ import annotations

import logging
import sys
import traceback

__all__ = ["main"]


def main() -> None:
    """Run the command with the arguments of this process, and exit with its code."""
    # Without a handler Python would print the log's warnings between the lines that the command prints itself.
    logging.getLogger("pinecone_backups_async").addHandler(logging.NullHandler())
    # Python's own code for what nobody foresaw is 1, which monitoring would read as «stale».
    unforeseen = 3 if sys.argv[1:2] == ["check"] else 1
    try:
        sys.exit(_run(unforeseen))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:  # noqa: BLE001 - the outermost edge; the traceback is shown
        traceback.print_exc()
        sys.exit(unforeseen)


def _run(unforeseen: int) -> int:
    try:
        from ._app import run  # noqa: PLC0415 - cyclopts and rich may be absent
    except ModuleNotFoundError as error:
        if error.name not in {"cyclopts", "rich"}:
            raise
        print(
            "pinecone-backups needs more than the library: pip install 'pinecone-backups-async[cli]'", file=sys.stderr
        )
        return unforeseen
    return run()
