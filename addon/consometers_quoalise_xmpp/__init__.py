"""One connection to the XMPP network, and a module for each of its tasks.

    transport      what a node needs of a network, over XMPP
    component      the same for all addresses of a domain, over one connection
    proof          that a server is the one it says, beside a component's connection
    registration   an account from an invitation
    connection     connects, resumes, comes back; owns every task
    stream         one stream to one server
    base_stream    the rules of any stream
    parsing        reads a stream stanza by stanza, each at a bounded cost
    discovery      what this program is, its presence, and what a peer can do
    deliveries     messages that are sent until their peer has them
    replies        requests and messages of peers, and their answers
    trial          an account tried, beside the node that has it

The tasks of a node that stand on it are in `consometers_quoalise_network`: they know no XMPP.
"""

from .component import Component
from .connection import Connection
from .discovery import Discovery, features, sends_receipts
from .proof import Proof
from .registration import register
from .transport import XmppTransport

__all__ = [
    "Component",
    "Connection",
    "Discovery",
    "Proof",
    "XmppTransport",
    "features",
    "register",
    "sends_receipts",
]
