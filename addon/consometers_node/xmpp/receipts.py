"""Delivery receipts (XEP-0184): `<request/>` asks for one, `<received id="…"/>` is one.

Between nodes a receipt means more than delivery: what was pushed is committed.
"""

from consometers_node.quoalise.markup import tag

NAMESPACE = "urn:xmpp:receipts"
REQUEST = tag(NAMESPACE, "request")
RECEIVED = tag(NAMESPACE, "received")
NO_ARCHIVE = "{urn:xmpp:hints}no-permanent-store"
"""Servers keep what stands beside it no longer than it takes to deliver it (XEP-0334)."""
