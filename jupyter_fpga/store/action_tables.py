"""The tables of the compute floor: actions, queues, workers and chunks. See :mod:`jupyter_fpga.store.tables`."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text, text

from jupyter_fpga.store.tables import AnyText, Json, Long, metadata

__all__ = ("actions", "chunk_grants", "chunks", "queues", "workers")

queues = Table(
    "queues",
    metadata,
    Column("queue_id", Long, primary_key=True, autoincrement=False),
    Column("owner", AnyText, nullable=False),
    Column("remote", Boolean(create_constraint=False), nullable=False),
    Column("state", Text, nullable=False),
    Column("config", Json(), nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("used_at", Float(53), nullable=False),
    Column("updated_at", Float(53), nullable=False),
    Index(None, "owner"),
    Index(None, "state"),
    info={"noun": "queue"},
)
"""One client's group of actions each. The counter ``queue`` gives out their numbers, from 1."""

actions = Table(
    "actions",
    metadata,
    Column("lsn", Long, primary_key=True, autoincrement=False),
    Column("action", Text, nullable=False),
    Column("owner", AnyText, nullable=False),
    Column("queue_id", Long, ForeignKey("queues.queue_id")),
    Column("worker", Text, nullable=False),
    Column("function", AnyText, nullable=False),
    Column("function_version", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("retries", Integer, nullable=False, server_default=text("0")),
    Column("max_retries", Integer, nullable=False),
    Column("retry_at", Float(53)),
    Column("fence", Long, nullable=False, server_default=text("0")),
    Column("runner", AnyText),
    Column("request", Json(), nullable=False),
    Column("result", Json()),
    Column("error", Json()),
    Column("cached", Boolean(create_constraint=False), nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("started_at", Float(53)),
    Column("finished_at", Float(53)),
    Column("updated_at", Float(53), nullable=False),
    Column("done_lsn", Long),
    Index(None, "state", "lsn"),
    Index(None, "owner", "lsn"),
    Index(None, "queue_id", "state"),
    Index(None, "action"),
    Index(None, "done_lsn"),
    info={"noun": "action"},
)
"""What was asked of the compute floor: ``lsn`` is that of the event that accepted it, ``done_lsn`` that of its end.

``retry_at``: when a failed or abandoned action is tried again; NULL when it isn't.
"""

workers = Table(
    "workers",
    metadata,
    Column("worker", Text, primary_key=True),
    Column("name", AnyText, nullable=False),
    Column("owner", AnyText, nullable=False),
    Column("descriptor", Json(), nullable=False),
    Column("created_at", Float(53), nullable=False),
    info={"noun": "worker"},
)
"""Descriptors by their digest."""

chunks = Table(
    "chunks",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("size", Long, nullable=False),
    Column("used_at", Float(53), nullable=False),
    Index(None, "used_at"),
    info={"noun": "chunk"},
)
"""Contents that people sent; the bytes are files, synchronised before the row."""

chunk_grants = Table(
    "chunk_grants",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("owner", AnyText, primary_key=True),
    Column("used_at", Float(53), nullable=False),
    Index(None, "used_at"),
    info={"noun": "chunk"},
)
"""Who has a content: by having sent it, or as an output of an action of theirs."""
