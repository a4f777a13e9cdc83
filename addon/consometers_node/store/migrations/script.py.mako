"""${message}.

Revises: ${down_revision or "nothing"}
"""

from alembic import op
import sqlalchemy as sa
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """TODO: say what it makes."""
    ${upgrades if upgrades else "pass"}
