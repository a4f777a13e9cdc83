"""What a node does on a network, whatever carries it: this is no XMPP.

    transport      what it needs of a network
    asking         requests to peers
    answering      requests of peers
    pushing        new records to subscribers, until they have them
    receiving      new records of peers, acknowledged once they are stored
    links          invitations, as a person gives them
    account        an account, and its server
    address        addresses, prepared
    backoff        waits before retries
    rate_limit     requests in a minute, by source
    traffic        counters of peers' messages
    connected      what connections of any kind have in common
    loopback       a network in memory, for tests

It knows the protocol as data (`consometers_quoalise`), and nothing of permission or of storage:
those who answer and store are passed in, and so are the words that peers read.
"""

from . import links
from .account import Account, Identity, Security, Server
from .address import RESOURCE
from .answering import Answerer, Answering, Asker
from .asking import Asking, PatientAsking
from .errors import NetworkError
from .links import Join, Register
from .pushing import PUSH_SECONDS, Pushing
from .receiving import NotStored, Receiving
from .traffic import Traffic
from .transport import Announcement, DataPolicy, Incoming, Session, Transport

__all__ = [
    "PUSH_SECONDS",
    "RESOURCE",
    "Account",
    "Announcement",
    "Answerer",
    "Answering",
    "Asker",
    "Asking",
    "DataPolicy",
    "Identity",
    "Incoming",
    "Join",
    "NetworkError",
    "NotStored",
    "PatientAsking",
    "Pushing",
    "Receiving",
    "Register",
    "Security",
    "Server",
    "Session",
    "Traffic",
    "Transport",
    "links",
]
