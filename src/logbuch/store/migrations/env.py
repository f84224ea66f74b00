"""Alembic's entry: migrates the connection that :mod:`logbuch.store.migrate` hands over."""

from alembic import context

from logbuch.store.migrations import VERSION_TABLE
from logbuch.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=False,
    render_as_batch=True,
)
context.run_migrations()
