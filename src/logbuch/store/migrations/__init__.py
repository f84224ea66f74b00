"""The history of the schema: one file a revision under versions/, oldest first in :data:`REVISIONS`."""

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011", "0012", "0013")
"""Known here without importing Alembic, which costs a quarter of a second at every start."""

HEAD = REVISIONS[-1]
VERSION_TABLE = "logbuch_version"
