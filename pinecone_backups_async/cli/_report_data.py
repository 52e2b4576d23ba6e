"""A coverage report for programs: JSON and Prometheus' text format. Writes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any, Final

from pinecone_backups_async.coverage import CoverageReport, IndexCoverage, State

__all__ = ["report_facts", "report_prometheus"]


def report_facts(report: CoverageReport) -> dict[str, Any]:
    """Return the report as JSON-ready Python: durations in seconds, times in RFC 3339."""
    return {
        "state": report.state,
        "now": report.now.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
        "max_age_seconds": report.max_age.total_seconds(),
        "indexes": [_index_facts(index) for index in report.indexes],
    }


def _index_facts(index: IndexCoverage) -> dict[str, Any]:
    return {
        "source_index_name": index.source_index_name,
        "source_index_id": index.source_index_id,
        "state": index.state,
        "gone": index.gone,
        "age_seconds": None if index.age is None else index.age.total_seconds(),
        "backups": index.backups,
        "size_bytes": index.size_bytes,
        "record_count": index.record_count,
        "failed_since_ready": index.failed_since_ready,
        "newest_ready": None if index.newest_ready is None else index.newest_ready.to_dict(),
        "failed": [backup.backup_id for backup in index.failed],
        "stuck": [backup.backup_id for backup in index.stuck],
    }


_GAUGES: Final[dict[str, tuple[str, Callable[[IndexCoverage], float | None]]]] = {
    "age_seconds": (
        "Age of the newest Ready backup.",
        lambda index: None if index.age is None else index.age.total_seconds(),
    ),
    "stored": ("Number of backups.", lambda index: index.backups),
    "size_bytes": ("Total size of the backups.", lambda index: index.size_bytes),
    "records": ("Total number of records in the backups.", lambda index: index.record_count),
    "failed": ("Number of failed backups.", lambda index: len(index.failed)),
    "stuck": ("Number of backups that do not get ready.", lambda index: len(index.stuck)),
    "failed_since_ready": (
        "Whether a backup failed since the newest Ready one.",
        lambda index: int(index.failed_since_ready),
    ),
}


def report_prometheus(report: CoverageReport) -> str:
    """Return the report in Prometheus' text format, for a textfile collector; indexes that are gone are left out."""
    return "\n".join(_prometheus_lines(report)) + "\n"


def _prometheus_lines(report: CoverageReport) -> Iterator[str]:
    yield "# HELP pinecone_backups_state Whether an index is in a state: 1 or 0."
    yield "# TYPE pinecone_backups_state gauge"
    for index in report.living:
        for state in State:
            yield f'pinecone_backups_state{{{_labels(index)},state="{state}"}} {int(index.state is state)}'
    for name, (text, value_of) in _GAUGES.items():
        yield f"# HELP pinecone_backups_{name} {text}"
        yield f"# TYPE pinecone_backups_{name} gauge"
        for index in report.living:
            value = value_of(index)
            if value is not None:
                yield f"pinecone_backups_{name}{{{_labels(index)}}} {value}"
    yield "# HELP pinecone_backups_max_age_seconds Age beyond which an index is stale."
    yield "# TYPE pinecone_backups_max_age_seconds gauge"
    yield f"pinecone_backups_max_age_seconds {report.max_age.total_seconds()}"


def _labels(index: IndexCoverage) -> str:
    names = {"index": index.source_index_name, "index_id": index.source_index_id or ""}
    return ",".join(f'{name}="{_label_value(value)}"' for name, value in names.items())


def _label_value(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
