"""PostgreSQL's value indexes hold whole values too, but for the longest: searches read them alone."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SHORT, LONG = (sa.text(f"octet_length(value) {compared} 2000") for compared in ("<=", ">"))


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    for table, include in (("params", ["number"]), ("tags", [])):
        op.drop_index(f"ix_{table}_value", table)
        op.create_index(
            f"ix_{table}_value", table, ["key", "value", "run"], postgresql_include=include, postgresql_where=SHORT
        )
        op.create_index(f"ix_{table}_long", table, ["key", "run"], postgresql_where=LONG)
