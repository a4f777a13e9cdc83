"""A conformance kit of Quoalise, the Consometers' protocol for energy data in XMPP.

`try_server` asks a program as a reader does; `try_client` plays the server that a client asks.
Both work over a `Transport`; `network` has one over slixmpp.
"""

from .checks.unseen import UNSEEN, Reason
from .client import try_client
from .peer import Absent, NotPermitted, Target
from .report import FORMATS, complete, write
from .requirements import Level, Requirement, requirements
from .results import Outcome, Result, conforms
from .server import try_server
from .session.transport import Ended, Transport
from .words import Language

__all__ = [
    "FORMATS",
    "UNSEEN",
    "Absent",
    "Ended",
    "Language",
    "Level",
    "NotPermitted",
    "Outcome",
    "Reason",
    "Requirement",
    "Result",
    "Target",
    "Transport",
    "complete",
    "conforms",
    "requirements",
    "try_client",
    "try_server",
    "write",
]
