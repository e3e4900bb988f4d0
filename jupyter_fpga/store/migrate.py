"""Brings a database to the schema of this version, and refuses those that it can't know.

To change the schema: change ``tables.py``, add a file to ``migrations/versions`` that makes the same change, and run
the store's tests, which compare the two.
"""

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from jupyter_fpga.store.errors import StoreUnusable

__all__ = ("MIGRATIONS", "upgrade")

MIGRATIONS = Path(__file__).with_name("migrations")

_ALEMBIC = threading.Lock()
"""Alembic's ``op`` is one object per process, and two stores may be opened at once."""


def upgrade(connection: Connection, where: str, migrations: Path = MIGRATIONS) -> None:
    """Run the migrations that are missing, all in one transaction.

    Parameters
    ----------
    connection
        A connection that may write, without a transaction.
    where
        The database in words, for the errors.
    migrations
        The folder of Alembic's files.

    Raises
    ------
    StoreUnusable
        With the code ``database_too_new`` or ``foreign_database``.
    """
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    with _ALEMBIC, connection.begin():
        found = MigrationContext.configure(connection).get_current_revision()
        known = [revision.revision for revision in script.walk_revisions()]
        if found == script.get_current_head():
            return
        if found is None:
            _refuse_foreign(connection, where)
        elif found not in known:
            raise StoreUnusable(
                f"The database {where} was written by a newer jupyter_fpga (its schema is {found}, this version knows "
                f"up to {script.get_current_head()}). Upgrade with: pip install --upgrade jupyter-fpga",
                code="database_too_new",
                detail={"database": where, "found": found, "known": script.get_current_head()},
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _refuse_foreign(connection: Connection, where: str) -> None:
    tables = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
    if tables:
        raise StoreUnusable(
            f"The database {where} holds tables that are not the lab's ({', '.join(tables[:3])}"
            f"{', …' if len(tables) > 3 else ''}). Give the lab an empty database of its own.",
            code="foreign_database",
            detail={"database": where, "tables": tables},
        )
