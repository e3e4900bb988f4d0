"""When what was in the registers of a session's board was lost."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("board_sessions", sa.Column("registers_lost_at", sa.Float(53), nullable=True))
