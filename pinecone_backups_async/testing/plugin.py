"""The pytest plugin: one fixture. Knows pytest.

pytest imports this module in every project that has the package installed. So it imports nothing else until the
fixture is asked for; the packages around it are lazy for the same reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from . import FakePinecone

__all__ = ["fake_pinecone"]


@pytest.fixture
def fake_pinecone() -> Iterator[FakePinecone]:
    """Run a FakePinecone with 250 backups for one test. It runs in a thread, so any kind of test can use it."""
    from . import FakePinecone  # noqa: PLC0415

    with FakePinecone(backups=250) as fake:
        yield fake
