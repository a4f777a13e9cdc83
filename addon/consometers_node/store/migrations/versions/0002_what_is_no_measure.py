"""What the recorder was read over, when Home Assistant was off, and what is pulled into it.

Revises: 0001
"""

from alembic import op
import sqlalchemy as sa

from consometers_node.store.migrations.columns import STRICT, WHOLE

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make three tables, beside those that stand."""
    op.create_table(
        "coverage",
        sa.Column("series_id", WHOLE, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("covered_from", WHOLE, nullable=False),
        sa.Column("covered_until", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["series_id"], ["series.id"], name=op.f("fk_coverage_series_id"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("covered_from <= covered_until", op.f("ck_coverage_range")),
        **STRICT,
    )
    op.create_table(
        "absence",
        sa.Column("away_from", WHOLE, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("away_until", WHOLE, nullable=False),
        sa.CheckConstraint("away_from < away_until", op.f("ck_absence_range")),
        **STRICT,
    )
    op.create_table(
        "pulled_series",
        sa.Column("statistic", sa.Text(), primary_key=True, nullable=False),
        sa.Column("jid", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("added_at", WHOLE, nullable=False),
        sa.Column("until", WHOLE),
        sa.Column("problem", sa.Text()),
        **STRICT,
    )
