"""How a database of an older node becomes one of this node: Alembic's revisions and environment."""
