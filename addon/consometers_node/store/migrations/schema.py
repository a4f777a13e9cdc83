"""The tables of a new database, and the rules that it keeps by itself.

Alembic's revisions are for databases that are there: a new one has no past.
"""

from sqlalchemy import Connection

from ..collective_tables import TABLES
from ..months import BY_MONTH
from ..tables import Base
from .guards import NOW, PIN
from .rules import PERMITTED, rules

_VERSION = (
    "CREATE TABLE alembic_version"
    " (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def create(connection: Connection, revision: str) -> None:
    """Create all tables, those of the other role too, as this revision has them."""
    dialect = connection.dialect.name
    statements = [_VERSION, f"INSERT INTO alembic_version VALUES ('{revision}')"]
    if dialect == "postgresql":
        for table in TABLES:
            if table.name in BY_MONTH:
                table.dialect_kwargs["postgresql_partition_by"] = "RANGE (day)"
                other = f"CREATE TABLE {table.name}_other PARTITION OF {table.name} DEFAULT"
                statements.append(other)
            for index in table.indexes:
                where = index.dialect_options["sqlite"]["where"]
                index.dialect_kwargs["postgresql_where"] = where
        statements.append(PIN)
    Base.metadata.create_all(connection, TABLES, checkfirst=False)
    statements.append(PERMITTED.format(now=NOW[dialect]))
    for rule in rules():
        statements += rule.create(dialect)
    for statement in statements:
        connection.exec_driver_sql(statement)
