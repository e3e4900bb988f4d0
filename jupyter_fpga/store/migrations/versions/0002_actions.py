"""The compute floor: queues, actions, workers and chunks."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "queues",
        sa.Column("queue_id", LONG, autoincrement=False, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("remote", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("used_at", sa.Float(53), nullable=False),
        sa.Column("updated_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("queue_id", name=op.f("pk_queues")),
    )
    op.create_index(op.f("ix_queues_owner"), "queues", ["owner"])
    op.create_index(op.f("ix_queues_state"), "queues", ["state"])
    op.create_table(
        "actions",
        sa.Column("lsn", LONG, autoincrement=False, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("queue_id", LONG, nullable=True),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("function", sa.Text(), nullable=False),
        sa.Column("function_version", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("retries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_retries", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.Float(53), nullable=True),
        sa.Column("fence", LONG, server_default=sa.text("0"), nullable=False),
        sa.Column("runner", sa.Text(), nullable=True),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("cached", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("started_at", sa.Float(53), nullable=True),
        sa.Column("finished_at", sa.Float(53), nullable=True),
        sa.Column("updated_at", sa.Float(53), nullable=False),
        sa.Column("done_lsn", LONG, nullable=True),
        sa.ForeignKeyConstraint(["queue_id"], ["queues.queue_id"], name=op.f("fk_actions_queue_id_queues")),
        sa.PrimaryKeyConstraint("lsn", name=op.f("pk_actions")),
    )
    op.create_index(op.f("ix_actions_state_lsn"), "actions", ["state", "lsn"])
    op.create_index(op.f("ix_actions_owner_lsn"), "actions", ["owner", "lsn"])
    op.create_index(op.f("ix_actions_queue_id_state"), "actions", ["queue_id", "state"])
    op.create_index(op.f("ix_actions_action"), "actions", ["action"])
    op.create_index(op.f("ix_actions_done_lsn"), "actions", ["done_lsn"])
    op.create_table(
        "workers",
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("descriptor", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_workers")),
    )
    op.create_table(
        "chunks",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("size", LONG, nullable=False),
        sa.Column("used_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_chunks")),
    )
    op.create_index(op.f("ix_chunks_used_at"), "chunks", ["used_at"])
    op.create_table(
        "chunk_grants",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("used_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("hash", "owner", name=op.f("pk_chunk_grants")),
    )
    op.create_index(op.f("ix_chunk_grants_used_at"), "chunk_grants", ["used_at"])
    op.execute("INSERT INTO counters (name, value) VALUES ('queue', 0)")
