"""Digests of artifacts, uploads in parts, and folders of erased runs that are still to be removed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

Text = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "artifacts",
        sa.Column("key", Text, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", Text, comment="NULL where the file went into the bucket past this server"),
        sa.Column("mark", Text, nullable=False, comment="of the content, by the place that holds it"),
        sa.Column("time", sa.BigInteger(), nullable=False, comment="when it became whole, ms"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_artifacts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "uploads",
        sa.Column("id", Text, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", Text, nullable=False),
        sa.Column("part_bytes", sa.Integer(), nullable=False),
        sa.Column("remote", Text, comment="the object store's own ID of the upload"),
        sa.Column("time", sa.BigInteger(), nullable=False, comment="when it was last heard of, ms"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index("ix_uploads_key", "uploads", ["key"])
    op.create_table(
        "removals",
        sa.Column("prefix", Text, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False, comment="of the erasure, ms"),
        sa.PrimaryKeyConstraint("prefix", name=op.f("pk_removals")),
    )
