"""PostgreSQL: no row's key is looked up among the names again, and packed points are kept as they are."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    for table in ("params", "tags", "latest", "blocks", "histograms"):
        op.drop_constraint(f"fk_{table}_key", table, type_="foreignkey")
    for table in ("arrivals", "blocks", "summaries"):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN data SET STORAGE EXTERNAL")
