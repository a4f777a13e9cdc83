"""The node's database: tables, migrations, transactions. SQLite, or PostgreSQL by URL."""

from .database import HEAD, Store
from .engine.errors import NotPermitted, StoreFault, Unusable
from .tables import NeedId, PeerId, PermissionId, SeriesId

__all__ = [
    "HEAD",
    "NeedId",
    "NotPermitted",
    "PeerId",
    "PermissionId",
    "SeriesId",
    "Store",
    "StoreFault",
    "Unusable",
]
