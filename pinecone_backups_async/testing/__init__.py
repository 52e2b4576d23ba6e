"""A real local server that speaks the backups API, for tests of whatever lists backups, and the data it serves.

Knows the endpoint from the outside, as the service shows it; of this package it uses only what the door exports.
"""

from ._data import sample_backups
from ._messages import Answer, RecordedRequest
from ._server import FakePinecone

__all__ = ["Answer", "FakePinecone", "RecordedRequest", "sample_backups"]
