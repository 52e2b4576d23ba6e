"""The command, as `python -m pinecone_backups_async`."""

from pinecone_backups_async.cli import main

main()
