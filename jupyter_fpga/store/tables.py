"""The tables of the lab. The migrations in ``migrations/versions`` create exactly these; a test compares the two.

Times are Unix seconds as floating point numbers, so that both databases keep the same value.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    false,
    text,
)
from sqlalchemy.engine import Dialect

__all__ = (
    "board_health",
    "board_sessions",
    "boards",
    "builds",
    "counters",
    "events",
    "idempotency",
    "job_logs",
    "jobs",
    "metadata",
    "sources",
)


UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""PostgreSQL takes no NUL characters, and neither database takes lone surrogates."""


class AnyText(TypeDecorator[str]):
    """Text from outside (tool output, file names): what a database can't hold becomes U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else UNSTORABLE.sub("\ufffd", value)


Long = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits on both databases; plain INTEGER on SQLite, where a primary key of that type is the row's own place."""


_STRICT = json.JSONEncoder(allow_nan=False)
# json.dumps makes one for each call that isn't all defaults, which costs as much as encoding a small object.


def strict_json(value: Any) -> str:
    """``value`` as JSON; ``ValueError`` for NaN and infinities, which SQLite would take and PostgreSQL refuse."""
    return _STRICT.encode(value)


def Json() -> JSON:
    """A JSON column in which Python's None is SQL's NULL."""
    return JSON(none_as_null=True)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Long, nullable=False),
)
"""Numbers that grow inside transactions; ``lsn`` is the last LSN that was given out."""

events = Table(
    "events",
    metadata,
    Column("lsn", Long, primary_key=True, autoincrement=False),
    Column("time", Float(53), nullable=False),
    Column("kind", Text, nullable=False),
    Column("fpga_id", Integer),
    Column("job_id", Text),
    Column("owner", AnyText),
    Column("public", Boolean(create_constraint=False), nullable=False, server_default=false()),
    Column("data", Json(), nullable=False),
    info={"noun": "event"},
)
"""The event log: one row per edge of a state machine, numbered without gaps in the order of commits."""

boards = Table(
    "boards",
    metadata,
    Column("fpga_id", Integer, primary_key=True, autoincrement=False),
    Column("target", Text, nullable=False),
    Column("tags", Json(), nullable=False),
    Column("driver", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("health", Text, nullable=False),
    Column("reason", AnyText),
    Column("reset_failures", Integer, nullable=False, server_default=text("0")),
    Column("owner", AnyText),
    Column("session_id", Text),
    Column("current_job_id", Text),
    Column("fence", Long, nullable=False, server_default=text("0")),
    Column("image_digest", Text),
    Column("process", Json()),
    Column("updated_at", Float(53), nullable=False),
    Column("found", Json()),
    info={"noun": "board"},
)
"""One row per board of the pool; ``process`` says how to find it again as it was left, ``found`` which device it is,
when the lab found it by itself."""

board_health = Table(
    "board_health",
    metadata,
    Column("lsn", Long, primary_key=True, autoincrement=False),
    Column("fpga_id", Integer, ForeignKey("boards.fpga_id"), nullable=False),
    Column("time", Float(53), nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", AnyText),
    Column("job_id", Text),
    Column("person", AnyText),
    Index(None, "fpga_id", "lsn"),
    info={"noun": "health record"},
)
"""What each board has gone through: failures, resets, quarantines, with the LSN of the event that told of it."""

board_sessions = Table(
    "board_sessions",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("fpga_id", Integer, ForeignKey("boards.fpga_id"), nullable=False),
    Column("owner", AnyText, nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("expires_at", Float(53), nullable=False),
    Column("ended_at", Float(53)),
    Column("end_reason", AnyText),
    Column("job_id", Text),
    Column("registers_lost_at", Float(53)),
    Index(None, "fpga_id", "ended_at"),
    Index(None, "owner", "ended_at"),
    info={"noun": "board session"},
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", Text, primary_key=True),
    Column("fpga_id", Integer, ForeignKey("boards.fpga_id")),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("stage", Text),
    Column("owner", AnyText, nullable=False),
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("created_at", Float(53), nullable=False),
    Column("updated_at", Float(53), nullable=False),
    Column("lsn", Long, nullable=False),
    Column("request", Json(), nullable=False),
    Column("source_digest", Text),
    Column("result", Json()),
    Column("error", Json()),
    Column("fence", Long, nullable=False, server_default=text("0")),
    Column("lease_until", Float(53)),
    Column("idempotency_key", AnyText),
    Column("session_id", Text),
    Column("manifest_digest", Text),
    Column("known_done", Integer),
    Index(None, "lsn"),
    Index(None, "status", "priority", "lsn"),
    Index(None, "owner", "lsn"),
    Index(None, "fpga_id", "lsn"),
    info={"noun": "job"},
)
"""One asynchronous change to a board each. ``known_done``: transactions of a run that are known to be done."""

job_logs = Table(
    "job_logs",
    metadata,
    Column("job_id", Text, ForeignKey("jobs.job_id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("time", Float(53), nullable=False),
    Column("text", AnyText, nullable=False),
    info={"noun": "log line"},
)

sources = Table(
    "sources",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("filename", AnyText, nullable=False),
    Column("size", Integer, nullable=False),
    Column("path", AnyText, nullable=False),
    info={"noun": "source"},
)
"""What people submitted. The bytes are files in the data folder, written and synchronised before the row."""

idempotency = Table(
    "idempotency",
    metadata,
    Column("owner", AnyText, primary_key=True),
    Column("key", AnyText, primary_key=True),
    Column("body_digest", Text, nullable=False),
    Column("response", Json(), nullable=False),
    Column("created_at", Float(53), nullable=False),
    info={"noun": "idempotency key"},
)

builds = Table(
    "builds",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("manifest", Json(), nullable=False),
    Column("artifacts", Json(), nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("last_used", Float(53), nullable=False),
    Column("stages", Json(), nullable=False),
    info={"noun": "build"},
)


def row_in_words(table: Table, key: Mapping[str, Any]) -> str:
    """A row as errors name it: ``board 3``."""
    return f"{table.info.get('noun', table.name)} {', '.join(str(value) for value in key.values())}"
