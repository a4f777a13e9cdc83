"""All tables: a node has those of every role, and fills its own."""

from .collective import tables as _collective
from .engine.declaration import Base
from .host import tables as _host

_ROLES = _collective, _host

TABLES = [table for table in Base.metadata.sorted_tables if not table.info.get("view")]
"""Each comes after those that it refers to."""
