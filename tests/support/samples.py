"""The examples of the specification's page, word for word, and a helper that makes rows."""

from __future__ import annotations

import json
from typing import Any

CURL_EXAMPLE = b"""{
  "data": [
    {"backup_id": "e12269b0-a29b-4af0-9729-c7771dec03e3", "source_index_id": "bcb5b3c9-903e-4cb6-8b37-a6072aeb874f",
     "source_index_name": "docs-example", "tags": null, "name": "example-backup", "description": null,
     "status": "Ready", "cloud": "aws", "region": "us-east-1", "dimension": 0, "record_count": 96, "namespace_count": 1,
     "size_bytes": 86393,
     "created_at": "2025-05-14T17:00:45.803146Z"},
    {"backup_id": "d686451d-1ede-4004-9f72-7d22cc799b6e", "source_index_id": "b49f27d1-1bf3-49c6-82b5-4ae46f00f0e6",
     "source_index_name": "docs-example2", "tags": null, "name": "example-backup2", "description": null,
     "status": "Ready", "cloud": "aws", "region": "us-east-1", "dimension": 1024, "record_count": 50,
     "namespace_count": 1, "size_bytes": 545171,
     "created_at": "2025-05-14T17:00:34.814371Z"},
    {"backup_id": "8c85e612-ed1c-4f97-9f8c-8194e07bcf71", "source_index_id": "f73b36c9-faf5-4a2c-b1d6-4013d8b1cc74",
     "source_index_name": "docs-example3", "tags": {}, "name": "example-backup3",
     "description": "Monthly backup of production index", "status": "Ready", "cloud": "aws", "region": "us-east-1",
     "dimension": 1024, "record_count": 98, "namespace_count": 3, "size_bytes": 1069169,
     "created_at": "2025-05-14T16:37:25.625540Z"}
  ],
  "pagination": null
}"""

OPENAPI_EXAMPLE = b"""{
  "data": [
    {"backup_id": "670e8400-e29b-41d4-a716-446655440000", "cloud": "aws", "created_at": "2024-03-15T10:30:00.000Z",
     "description": "Monthly backup of production index", "dimension": 1536, "metric": "cosine",
     "name": "backup_2024_03_15", "namespace_count": 3, "record_count": 120000, "region": "us-east-1",
     "schema": {"fields": {"genre": {"filterable": true}, "title": {"filterable": true}}}, "size_bytes": 10000000,
     "source_index_id": "idx_456", "source_index_name": "my-index", "status": "Ready",
     "tags": {"environment": "production", "type": "monthly"}},
    {"backup_id": "670e8400-e29b-41d4-a716-446655440001", "cloud": "aws", "created_at": "2024-03-20T15:45:00.000Z",
     "description": "Pre-deployment safety backup", "dimension": 1536, "metric": "cosine", "name": "backup_2024_03_20",
     "namespace_count": 4, "record_count": 125000, "region": "us-east-1",
     "schema": {"fields": {"genre": {"filterable": true}, "title": {"filterable": true}}}, "size_bytes": 10500000,
     "source_index_id": "idx_789", "source_index_name": "my-index-2", "status": "Ready",
     "tags": {"environment": "production", "type": "pre-deploy"}}
  ]
}"""


def row(backup_id: str = "b1", **fields: Any) -> dict[str, Any]:
    """Return the JSON object of a backup with the required fields and those given."""
    required = {
        "backup_id": backup_id,
        "source_index_name": "products",
        "source_index_id": "idx-1",
        "status": "Ready",
        "cloud": "aws",
        "region": "us-east-1",
    }
    return required | fields


def page_body(*rows: Any, next_token: str | None = None) -> bytes:
    """Return the JSON text of a page."""
    pagination = None if next_token is None else {"next": next_token}
    return json.dumps({"data": rows, "pagination": pagination}).encode()
