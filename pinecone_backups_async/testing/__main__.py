"""Run the server by hand: `python -m pinecone_backups_async.testing --port 5081 --backups 250`.

Knows the arguments and the terminal; FakePinecone does the rest.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

from pinecone_backups_async.testing import FakePinecone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _integer(least: int, most: int) -> Callable[[str], int]:
    def integer(text: str) -> int:
        if not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be from {least} to {most}, not {text}")
        return int(text)

    return integer


async def _serve(port: int, backups: int) -> None:
    async with FakePinecone(backups, port=port) as fake:
        for name, value in fake.environ.items():
            print(f"export {name}={value}")
        print(f"# {backups} backups at {fake.url}/backups until Ctrl-C", flush=True)
        # A Ctrl-C that arrives just before the loop begins to wait is seen when the loop wakes.
        while True:  # noqa: ASYNC110 - nothing is waited for
            await asyncio.sleep(0.5)


def main(arguments: Sequence[str]) -> None:
    """Serve until Ctrl-C. Exits with 2 for wrong use or a port that is taken."""
    parser = argparse.ArgumentParser(
        prog="python -m pinecone_backups_async.testing",
        description="Serve the backup endpoints of the Pinecone API from memory, on a loopback port.",
    )
    parser.add_argument("--port", type=_integer(0, 65535), default=5081, help="0 takes a free one (default: 5081)")
    parser.add_argument("--backups", type=_integer(0, 100_000), default=250, help="how many to serve (default: 250)")
    options = parser.parse_args(arguments)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(options.port, options.backups))
    except OSError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
