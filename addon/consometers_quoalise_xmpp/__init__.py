"""One connection to the XMPP network, and a module for each of its tasks.

    transport      what a node needs of a network, over XMPP
    registration   an account from an invitation
    connection     connects, resumes, comes back; owns every task
    stream         one stream to one server, within our rules
    parsing        reads a stream stanza by stanza, each at a bounded cost
    discovery      what this program is, its presence, and what a peer can do
    deliveries     messages that are sent until their peer has them
    replies        requests and messages of peers, and their answers
    trial          an account tried, beside the node that has it

The tasks of a node that stand on it are in `consometers_quoalise_network`: they know no XMPP.
"""

from .connection import Connection
from .discovery import Discovery, features, sends_receipts
from .registration import register
from .transport import XmppTransport

__all__ = [
    "Connection",
    "Discovery",
    "XmppTransport",
    "features",
    "register",
    "sends_receipts",
]
