"""What each board has gone through; and which device a board is that was found by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "board_health",
        sa.Column("lsn", LONG, autoincrement=False, nullable=False),
        sa.Column("fpga_id", sa.Integer(), nullable=False),
        sa.Column("time", sa.Float(53), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("job_id", sa.Text(), nullable=True),
        sa.Column("person", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["fpga_id"], ["boards.fpga_id"], name=op.f("fk_board_health_fpga_id_boards")),
        sa.PrimaryKeyConstraint("lsn", name=op.f("pk_board_health")),
    )
    op.create_index(op.f("ix_board_health_fpga_id_lsn"), "board_health", ["fpga_id", "lsn"])
    op.add_column("boards", sa.Column("found", sa.JSON(), nullable=True))
