"""Alembic's entry: runs migrations on the connection that :mod:`jupyter_fpga.store.migrate` hands over."""

from alembic import context

from jupyter_fpga.store.action_tables import actions

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=actions.metadata,
    # SQLite can take back DDL too, once its driver is kept from committing: a migration happens whole or not at all.
    transactional_ddl=True,
)
context.run_migrations()
