"""Points that come in rounds are logged as tables. An older version could not read them, and would leave them out."""

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No table changes: the revision alone keeps older versions out."""
