"""Alembic's environment: it works on the connection that `store.database` passes."""

from alembic import context
from sqlalchemy import Connection

from consometers_node.store.engine.declaration import Base

connection = context.config.attributes["connection"]
assert isinstance(connection, Connection)
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
