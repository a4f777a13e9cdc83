"""A good citizen of the XMPP network: one connection, and a small module for each thing it does.

    links          invitations, as a person gives them
    registration   an account from an invitation
    connection     connects, resumes, comes back; owns every task
    stream         one stream to one server, within our rules
    parsing        reads a stream stanza by stanza, each at a bounded cost
    discovery      what this node is, that it is there, and what a peer can do
    asking         requests to peers
    answering      requests of peers
    pushing        new records to subscribers, until they have them
    receiving      new records of peers, acknowledged once they are kept
    trial          an account tried, beside the node that has it

It knows the protocol as data (`quoalise`), and nothing of permission or of storage: those who
answer and keep are handed in, and so are the words that peers read.
"""

from . import links
from .account import RESOURCE, Account, Identity, Security, Server
from .answering import Answerer, Answering, Asker
from .asking import Asking
from .connection import Connection
from .discovery import DataPolicy, Discovery, features, sends_receipts
from .errors import NetworkError
from .links import Join, Register
from .pushing import PUSH_SECONDS, Pushing
from .receiving import NotStored, Receiving
from .registration import register
from .replies import Traffic

__all__ = [
    "PUSH_SECONDS",
    "RESOURCE",
    "Account",
    "Answerer",
    "Answering",
    "Asker",
    "Asking",
    "Connection",
    "DataPolicy",
    "Discovery",
    "Identity",
    "Join",
    "NetworkError",
    "NotStored",
    "Pushing",
    "Receiving",
    "Register",
    "Security",
    "Server",
    "Traffic",
    "features",
    "links",
    "register",
    "sends_receipts",
]
