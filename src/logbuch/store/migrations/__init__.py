"""The history of the schema: one file a revision under versions/, oldest first in :data:`REVISIONS`."""

REVISIONS = tuple(f"{number:04}" for number in range(1, 21))
"""Known here without importing Alembic, which costs a quarter of a second at every start."""

HEAD = REVISIONS[-1]
VERSION_TABLE = "logbuch_version"
