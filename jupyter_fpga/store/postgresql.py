"""PostgreSQL: one schema of one database, one lab. Needs a direct connection to the server (no pooler in between)."""

import os
import socket
import zlib
from types import MappingProxyType

from sqlalchemy import URL, Connection, Engine, NullPool, QueuePool, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from jupyter_fpga.store.errors import StoreLocked, StoreUnusable
from jupyter_fpga.store.migrate import upgrade
from jupyter_fpga.store.tables import strict_json

__all__ = ("PostgreSQL",)

LOCK_CLASS = 0x46504741
"""First half of the advisory lock's key ("FPGA"); the second is a checksum of the schema's name."""

LOCK_WAIT = "2s"
"""How long to wait for the lock: the server may need a moment to notice that a killed lab is gone."""

CONNECT_SECONDS = 10
"""How long to wait for a server that doesn't answer, unless the URL says otherwise (``connect_timeout``)."""

LOCK_HOLDER = text(
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE locktype = 'advisory' AND granted AND classid = :class AND objid = :schema AND objsubid = 2 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)

READ_ONLY = MappingProxyType({"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
"""What makes a transaction a snapshot."""


class PostgreSQL:
    """A database on a server, and the advisory lock in it.

    The lock belongs to the writing connection: who loses that connection loses the lock, and takes both again or
    neither.

    Parameters
    ----------
    url
        ``postgresql://user:password@host/database``.
    """

    def __init__(self, url: URL) -> None:
        self._url = url.set(drivername="postgresql+psycopg")
        self._where = url.set(query={}).render_as_string(hide_password=True)
        self._engine: Engine | None = None

    def connect(self) -> Connection:
        """The writing connection, which holds the lock, with the newest schema."""
        if self._engine is None:
            self._engine = self._make_engine(poolclass=NullPool)
        try:
            connection = self._engine.connect()
        except OperationalError as error:
            raise self._unusable(error) from error
        try:
            self._lock(connection)
            upgrade(connection, self._where)
        except DBAPIError as error:
            connection.close()
            raise self._unusable(error) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def release(self) -> None:
        """Nothing: the lock went with the connection."""

    def readers(self, threads: int) -> Engine:
        """An engine for that many reading threads; it notices connections that were lost meanwhile."""
        return self._make_engine(
            poolclass=QueuePool,
            pool_size=threads,
            max_overflow=0,
            pool_pre_ping=True,
            execution_options=READ_ONLY,
        )

    def _lock(self, connection: Connection) -> None:
        with connection.begin():
            schema = connection.execute(text("SELECT current_schema()")).scalar_one()
            # pg_locks shows both halves unsigned, the function takes them signed.
            checksum = zlib.crc32(str(schema).encode())
            signed = checksum - (1 << 32) if checksum >> 31 else checksum
            # Acknowledged means on disk, whatever the server's default is.
            connection.execute(
                text("SELECT set_config(name, 'on', false) FROM pg_settings WHERE name = :name AND setting = 'off'"),
                {"name": "synchronous_commit"},
            )
            savepoint = connection.begin_nested()
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'"))
            try:
                connection.execute(
                    text("SELECT pg_advisory_lock(:class, :schema)"), {"class": LOCK_CLASS, "schema": signed}
                )
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) != "55P03":  # lock_not_available
                    raise
                savepoint.rollback()
                holder = connection.execute(LOCK_HOLDER, {"class": LOCK_CLASS, "schema": checksum}).scalar()
                raise StoreLocked(self._where, holder or "of another user", "give this one another database") from None

    def _make_engine(self, **options: object) -> Engine:
        arguments: dict[str, object] = {"application_name": f"process {os.getpid()} on {socket.gethostname()}"[:63]}
        if "connect_timeout" not in self._url.query:
            arguments["connect_timeout"] = CONNECT_SECONDS
        try:
            return create_engine(self._url, connect_args=arguments, json_serializer=strict_json, **options)
        except ModuleNotFoundError as error:
            raise StoreUnusable(
                f"The lab's database is {self._where}, and the driver for PostgreSQL is not installed: "
                "pip install 'jupyter-fpga[postgres]'",
                code="driver_missing",
            ) from error

    def _unusable(self, error: DBAPIError) -> StoreUnusable:
        reason = " ".join(str(error.orig).split())
        return StoreUnusable(
            f"The lab's database {self._where} can't be used ({reason}). "
            "Put that right, or take the URL out of the configuration to use a file instead.",
            detail={"database": self._where, "reason": reason},
        )
