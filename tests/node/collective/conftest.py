"""Two servers that federate: homes on one, a collective on the other."""

from ..xmpp.conftest import (
    authority,
    new_account,
    new_node,
    new_plain,
    one,
    own,
    servers,
    stack,
    two,
)

__all__ = ["authority", "new_account", "new_node", "new_plain", "one", "own", "servers"]
__all__ += ["stack", "two"]
