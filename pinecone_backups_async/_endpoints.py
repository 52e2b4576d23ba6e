"""The endpoints of the backups API as values: everything in which one differs from another. Nothing else knows them.

A new endpoint is one value here and a short method of `BackupsClient`.
"""

from . import _decode as decode
from ._protocol import Endpoint

LIST_PROJECT_BACKUPS = Endpoint("list_project_backups", "GET", "/backups", decode.decode_page)
LIST_INDEX_BACKUPS = Endpoint("list_index_backups", "GET", "/indexes/{index_name}/backups", decode.decode_page)
DESCRIBE_BACKUP = Endpoint("describe_backup", "GET", "/backups/{backup_id}", decode.decode_backup)
# 200 since API version 2026-07
CREATE_BACKUP = Endpoint("create_backup", "POST", "/indexes/{index_name}/backups", decode.decode_backup, {200, 201})
DELETE_BACKUP = Endpoint("delete_backup", "DELETE", "/backups/{backup_id}", decode.decode_nothing, {202, 204})
CREATE_INDEX_FROM_BACKUP = Endpoint(
    "create_index_from_backup", "POST", "/backups/{backup_id}/create-index", decode.decode_receipt, {200, 201, 202}
)
LIST_RESTORE_JOBS = Endpoint("list_restore_jobs", "GET", "/restore-jobs", decode.decode_job_page)
DESCRIBE_RESTORE_JOB = Endpoint("describe_restore_job", "GET", "/restore-jobs/{restore_job_id}", decode.decode_job)
LIST_INDEXES = Endpoint("list_indexes", "GET", "/indexes", decode.decode_indexes)
