"""Service discovery (XEP-0030): this node's features for anyone to see, and those of peers.

    disco#info     of the node: identity, features, data policy; of a command: that it is one
    disco#items    of http://jabber.org/protocol/commands: the commands of the node's role

Names are in the asker's language. The data policy is a form of XEP-0504's type.
"""

from functools import partial
from xml.etree.ElementTree import Element, SubElement

from slixmpp.stanza import Iq

from consometers_quoalise import (
    ItemNotFound,
    Node,
    QuoaliseError,
    ResourceConstraint,
    Role,
    Words,
    commands,
)
from consometers_quoalise.elements import forms
from consometers_quoalise.elements.markup import tag
from consometers_quoalise.federation import permissions
from consometers_quoalise.languages import best
from consometers_quoalise.records import metadata
from consometers_quoalise_network.rate_limit import SlidingWindow
from consometers_quoalise_network.transport import DataPolicy

from .connection import PING, Endpoint
from .replies import RECEIPTS, language_of, refuse, reply

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
POLICY = "urn:xmpp:data-policy:0"
_INFO_QUERY = tag(INFO, "query")
_ITEMS_QUERY = tag(ITEMS, "query")
_SECONDS = 30
_UNKNOWN = "feature-not-implemented"

_FEATURES = (INFO, ITEMS, metadata.NAMESPACE, PING.partition("}")[0][1:])
_ANSWERS = (commands.NAMESPACE, forms.NAMESPACE, permissions.NAMESPACE)


class Discovery:
    """Answers disco#info, disco#items and pings."""

    def __init__(self, connection: Endpoint, role: Role | None, *, receives: bool = False) -> None:
        """Announce a role, or a program that only asks and receives.

        `receives` says that the account acknowledges what it receives, as `Receiving` does. It and
        the `policy` may change: who asks gets it as it is then.
        """
        self.receives = receives
        self.policy: DataPolicy | None = None
        self._connection = connection
        self._role = role
        self._features = _FEATURES + (_ANSWERS if role else ())
        answered = commands.answered_by(role) if role else ()
        self._commands = {command.node: command for command in answered}
        self._rate = SlidingWindow(connection.stream.loop.time)
        connection.on_iq(_INFO_QUERY, partial(self._answer, _INFO_QUERY))
        connection.on_iq(_ITEMS_QUERY, partial(self._answer, _ITEMS_QUERY))
        connection.on_iq(PING, reply)

    def _answer(self, name: str, iq: Iq) -> None:
        asked = iq.xml.find(name)
        node = asked.get("node", "") if asked is not None else ""
        query = Element(name, {"node": node} if node else {})
        words = self._connection.speak(language_of(iq))
        try:
            if not self._rate.take(iq["from"].bare):
                raise ResourceConstraint
            if name == _INFO_QUERY:
                self._fill_info(query, node, words)
            else:
                self._fill_items(query, node, words)
        except QuoaliseError as error:
            refuse(iq, error, self._connection.speak)
        else:
            reply(iq, query)

    def _fill_info(self, query: Element, node: str, words: Words) -> None:
        if not node:
            kind = "bot" if self._role else "console"
            _identity(query, "client", kind, words.role(self._role))
            _features(query, (*self._features, *((RECEIPTS,) if self.receives else ())))
            if self.policy:
                query.append(_form(self.policy, words.language))
        elif node == commands.NAMESPACE:
            _identity(query, "automation", "command-list", words.role(self._role))
            _features(query, (INFO, ITEMS, commands.NAMESPACE))
        elif node in self._commands:
            title = words.title(Node(node))
            _identity(query, "automation", "command-node", title)
            _features(query, (INFO, commands.NAMESPACE, forms.NAMESPACE))
        else:
            raise ItemNotFound

    def _fill_items(self, query: Element, node: str, words: Words) -> None:
        if node == commands.NAMESPACE:
            for name in self._commands:
                attributes = {"jid": self._connection.jid, "node": name}
                attributes["name"] = words.title(name)
                SubElement(query, tag(ITEMS, "item"), attributes)
        elif node and node not in self._commands:
            raise ItemNotFound


async def features(connection: Endpoint, jid: str) -> frozenset[str]:
    """Return the features of a full address. Raises as `Endpoint.request` does."""
    answer = await connection.request("get", jid, Element(_INFO_QUERY), _SECONDS)
    features = answer.iterfind(f"{_INFO_QUERY}/{tag(INFO, 'feature')}")
    return frozenset(feature.get("var", "") for feature in features)


async def sends_receipts(connection: Endpoint, jid: str) -> bool | None:
    """Return whether a subscriber's full address acknowledges messages.

    One that knows nothing of such questions does not. None if it did not say: once it has gone, its
    server, or ours, answers with an error in its place. Raises `NetworkError` if nobody answers.
    """
    try:
        return RECEIPTS in await features(connection, jid)
    except QuoaliseError as error:
        return False if error.condition == _UNKNOWN else None


def _identity(query: Element, category: str, kind: str, name: str) -> None:
    attributes = {"category": category, "type": kind, "name": name}
    SubElement(query, tag(INFO, "identity"), attributes)


def _features(query: Element, features: tuple[str, ...]) -> None:
    for feature in features:
        SubElement(query, tag(INFO, "feature"), {"var": feature})


def _form(policy: DataPolicy, language: str) -> Element:
    form = Element(forms.FORM, {"type": "result"})
    values = {
        "FORM_TYPE": POLICY,
        "purpose": policy.purpose[best(policy.purpose, language)],
        "retention": policy.retention[best(policy.retention, language)],
        "location": policy.location[best(policy.location, language)],
    }
    for var, value in values.items():
        kind = "hidden" if var == "FORM_TYPE" else "text-single"
        field = SubElement(form, tag(forms.NAMESPACE, "field"), {"var": var, "type": kind})
        SubElement(field, tag(forms.NAMESPACE, "value")).text = value
    return form
