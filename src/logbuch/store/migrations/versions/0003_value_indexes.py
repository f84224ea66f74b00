"""SQLite's value indexes hold whole values, and of params the number too: searches read them alone."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name != "sqlite":
        return
    op.drop_index("ix_params_value", "params")
    op.drop_index("ix_tags_value", "tags")
    op.create_index("ix_params_value", "params", ["key", "value", "number", "run"])
    op.create_index("ix_tags_value", "tags", ["key", "value", "run"])
