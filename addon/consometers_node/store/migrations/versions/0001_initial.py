"""The schema of the first release, which `rules.create` makes.

Revises: nothing
"""

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing: no database is older than this."""
