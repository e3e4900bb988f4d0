"""The schema: one truth, and databases that this version can't know."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, insert, inspect, make_url, select, text

from jupyter_fpga.store import Store, StoreUnusable, Transaction
from jupyter_fpga.store.action_tables import actions
from jupyter_fpga.store.migrate import MIGRATIONS, upgrade
from jupyter_fpga.store.postgresql import PostgreSQL
from jupyter_fpga.store.sqlite import SQLite
from jupyter_fpga.store.tables import boards, job_logs, jobs


def outside(url: str, work: Callable[[Connection], object]) -> object:
    """Do something to a database that no store has open."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed)
    try:
        with engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


async def test_the_migrations_make_what_the_tables_say(store: Store) -> None:
    def compare(connection: Connection) -> object:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), actions.metadata)

    assert await store.read(compare) == []


async def test_opening_again_keeps_everything(url: str) -> None:
    for expected in (1, 2, 3):
        store = await Store.open(url)
        assert await store.write(lambda tx: tx.event("opened")) == expected
        await store.close()


async def test_a_newer_database_is_refused_and_left_alone(url: str) -> None:
    await (await Store.open(url)).close()
    outside(url, lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '0099'")))
    with pytest.raises(StoreUnusable) as caught:
        await Store.open(url)
    where = url.removeprefix("sqlite:///").split("?")[0]
    assert (caught.value.code, caught.value.message) == (
        "database_too_new",
        f"The database {where} was written by a newer jupyter_fpga (its schema is 0099, this version knows up to "
        "0004). Upgrade with: pip install --upgrade jupyter-fpga",
    )
    found = outside(
        url, lambda connection: connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    )
    assert found == "0099"


async def test_a_database_of_something_else_is_refused_and_left_alone(url: str) -> None:
    def fill(connection: Connection) -> None:
        for name in ("bookmarks", "cookies", "history", "zoom"):
            connection.execute(text(f"CREATE TABLE {name} (id INTEGER)"))

    outside(url, fill)
    with pytest.raises(StoreUnusable) as caught:
        await Store.open(url)
    where = url.removeprefix("sqlite:///").split("?")[0]
    assert (caught.value.code, caught.value.message) == (
        "foreign_database",
        f"The database {where} holds tables that are not the lab's (bookmarks, cookies, history, …). "
        "Give the lab an empty database of its own.",
    )
    tables = outside(url, lambda connection: sorted(inspect(connection).get_table_names()))
    assert tables == ["bookmarks", "cookies", "history", "zoom"]


def test_a_migration_happens_whole_or_not_at_all(url: str, tmp_path: Path) -> None:
    broken = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, broken, ignore=shutil.ignore_patterns("__pycache__"))
    (broken / "versions" / "0004_broken.py").write_text(
        "from alembic import op\n"
        "revision, down_revision = '0005', '0004'\n"
        "def upgrade():\n"
        "    op.execute('CREATE TABLE half (id INTEGER)')\n"
        "    raise ZeroDivisionError\n"
    )
    parsed = make_url(url)
    database = SQLite(parsed) if parsed.get_backend_name() == "sqlite" else PostgreSQL(parsed)
    with database.connect() as connection:
        with pytest.raises(ZeroDivisionError):
            upgrade(connection, "here", broken)
        assert "half" not in inspect(connection).get_table_names()
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0004"
    database.release()


async def test_text_that_no_database_holds(store: Store) -> None:
    """What a tool prints may hold anything; it is kept as far as both databases can."""

    def work(tx: Transaction) -> None:
        job = {"job_id": "j1", "type": "build", "status": "queued", "owner": "ann\0", "request": {"nul": "a\0b"}}
        tx.execute(insert(jobs), {**job, "created_at": tx.now, "updated_at": tx.now, "lsn": tx.event("e", nul="a\0b")})
        lines = ["a\0b", "lone \ud800 surrogate", "\U0001f600 µ"]
        tx.execute(
            insert(job_logs),
            [{"job_id": "j1", "seq": seq, "time": tx.now, "text": line} for seq, line in enumerate(lines)],
        )

    await store.write(work)

    def query(connection: Connection) -> object:
        lines = connection.execute(select(job_logs.c.text).order_by(job_logs.c.seq)).scalars().all()
        job = connection.execute(select(jobs.c.owner, jobs.c.request)).one()
        return list(lines), tuple(job)

    lines, job = await store.read(query)
    assert lines == ["a\ufffdb", "lone \ufffd surrogate", "\U0001f600 µ"]
    assert job == ("ann\ufffd", {"nul": "a\0b"})
    assert (await store.events.since(0))[0].data == {"nul": "a\0b"}


async def test_numbers_keep_their_value(store: Store) -> None:
    row = {"target": "t", "tags": ["a", "b"], "driver": "d", "state": "idle", "health": "ok"}
    time = 1764085123.4567891

    def work(tx: Transaction) -> None:
        tx.execute(insert(boards), {**row, "fpga_id": 7, "fence": 2**62, "updated_at": time, "process": {"pid": 1}})

    await store.write(work)
    found = await store.read(lambda connection: connection.execute(select(boards)).mappings().one())
    assert (found["fence"], found["updated_at"], found["tags"], found["process"]) == (
        2**62,
        time,
        ["a", "b"],
        {"pid": 1},
    )


async def test_no_number_that_only_one_database_takes(store: Store) -> None:
    row = {"fpga_id": 7, "target": "t", "tags": [float("nan")], "driver": "d", "state": "idle", "health": "ok"}
    with pytest.raises(Exception, match="Out of range float values are not JSON compliant"):
        await store.write(lambda tx: tx.execute(insert(boards), {**row, "updated_at": 1.0}).rowcount)


async def test_foreign_keys_hold(store: Store) -> None:
    row = {"job_id": "nobody", "seq": 1, "time": 1.0, "text": "line"}
    with pytest.raises(Exception, match=r"(?i)foreign key constraint"):
        await store.write(lambda tx: tx.execute(insert(job_logs), row).rowcount)
