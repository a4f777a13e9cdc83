"""A member that lies: to the collective that let it in, or as the collective that a home asks.

What it can send is what its own node could be made to send, over an honest network.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element

import pytest
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp.xmlstream.stanzabase import StanzaBase

from consometers_node.quoalise import (
    Data,
    Direction,
    Duration,
    Erased,
    GetDataNeeds,
    GetHistory,
    Grant,
    Listed,
    Malformed,
    Node,
    QuoaliseError,
    Receipt,
    Records,
    State,
    Terminate,
    UpstreamError,
    Withdraw,
    answers,
    data,
    describe,
    federation_xml,
    metadata,
    requests,
    stanza_errors,
)
from consometers_node.quoalise.identifier import organisation, series
from consometers_node.quoalise.markup import LANG, serialise, tag
from consometers_node.quoalise.senml import SENML
from consometers_node.wire import write_need
from demo.prosody import Prosody
from tests.node.permission.samples import NEED
from tests.node.quoalise.samples import EXAMPLE, PERMISSION, element
from tests.node.xmpp.conftest import MakeNode, MakePlain
from tests.node.xmpp.plain import COMMAND

HOUR = timedelta(hours=1)
FIRST = datetime(2026, 6, 10, tzinfo=UTC)
METER = series(organisation("liar"), Direction.CONSUMPTION)
LONG = 180_000 * "a"
METADATA = [tag(metadata.NAMESPACE, name) for name in ("device", "identifier", "measurement")]
MOST_KEPT = 30_000
"""Characters: the longest that is read of any, and the words around it."""


def _read_error(sent: Element) -> object:
    error = stanza_errors.read(sent)
    return error.text, vars(error)


# What is sent in place of a permission's id, or is far too long to be any

NO_IDS = [
    "../../settings",
    "..",
    "a/b",
    "a\\b",
    "%2e%2e%2f",
    "2f6c1f0a-52b7-4c39-9d0e-6a1b5f8e7c3d/../x",
    "2F6C1F0A-52B7-4C39-9D0E-6A1B5F8E7C3D",
    "2f6c1f0a52b74c399d0e6a1b5f8e7c3d",
    "２f6c1f0a-52b7-4c39-9d0e-6a1b5f8e7c3d",
    "con",
    LONG,
]


@pytest.mark.parametrize("id", NO_IDS, ids=range(len(NO_IDS)))
def test_a_permission_named_by_a_path_is_refused_wherever_it_is_named(id: str) -> None:
    grant = requests.write(Grant(PERMISSION))
    permission = grant[0]
    permission.set("id", id)
    receipt = federation_xml.write_receipt(RECEIPT)
    receipt.set("permission", id)
    for read in (
        lambda: requests.read(grant),
        lambda: requests.read(requests.write(Withdraw(id))),
        lambda: requests.read(requests.write(Terminate(id))),
        lambda: federation_xml.read_receipt(receipt),
    ):
        with pytest.raises(Malformed) as refused:
            read()
        assert len(refused.value.text.say("fr")) < 300


RECEIPT = Receipt(
    permission=PERMISSION.id,
    state=State.WITHDRAWN,
    time=datetime(2027, 3, 1, 9, tzinfo=UTC),
    erased=(Erased(METER, 12),),
)
SENT: dict[str, tuple[Element, Callable[[Element], object]]] = {
    "a permission": (
        federation_xml.write_permission(PERMISSION),
        federation_xml.read_permission,
    ),
    "data needs": (
        federation_xml.write_data_needs([write_need(NEED)]),
        federation_xml.read_data_needs,
    ),
    "a receipt": (federation_xml.write_receipt(RECEIPT), federation_xml.read_receipt),
    "records": (element(EXAMPLE), data.read),
    "a withdrawal": (requests.write(Withdraw(PERMISSION.id)), requests.read),
    "a question": (requests.write(GetHistory(METER, FIRST, FIRST + HOUR)), requests.read),
    "series": (answers.listed([Listed(series=METER, unit="W")]), answers.read_listed),
    "an invitation": (requests.write(GetDataNeeds("a-token")), requests.read),
    "an error": (stanza_errors.write(UpstreamError("issuer", "code")), _read_error),
}
"""Whatever of a peer is kept, as it comes, and who reads it."""


def _places(sent: Element) -> Iterator[tuple[Element, str | None]]:
    """Give each attribute of an element and of those in it, and with None what stands in it."""
    for inside in sent.iter():
        yield from ((inside, name) for name in inside.attrib)
        yield inside, None


@pytest.mark.parametrize("what", SENT)
def test_no_field_of_180_kb_is_kept_in_whatever_it_is_sent(what: str) -> None:
    sent, read = SENT[what]
    for number, (_, name) in enumerate(_places(sent)):
        changed = deepcopy(sent)
        inside, _ = list(_places(changed))[number]
        if name is None:
            inside.text = LONG
        else:
            inside.set(name, LONG)
        try:
            kept = repr(read(changed))
        except QuoaliseError as refusal:
            kept = repr(refusal.text)
        assert len(kept) < MOST_KEPT, (inside.tag, name)


@pytest.mark.parametrize("what", SENT)
def test_no_field_that_comes_3000_times_is_kept_so_often(what: str) -> None:
    sent, read = SENT[what]
    for number, inside in enumerate(sent.iter()):
        # Of records, 4,000 are few; what metadata has twice is passed on, and kept by nobody.
        if inside is sent or inside.tag == SENML or inside.tag in METADATA:
            continue
        changed = deepcopy(sent)
        parent, child = next(
            (parent, child)
            for parent in changed.iter()
            for child in parent
            if child is list(changed.iter())[number]
        )
        for copy in range(3_000):
            another = deepcopy(child)
            if LANG in another.attrib:
                another.set(LANG, f"x-{copy}")
            parent.append(another)
        try:
            kept = repr(read(changed))
        except QuoaliseError as refusal:
            kept = repr(refusal.text)
        assert len(kept) < MOST_KEPT, inside.tag


@pytest.mark.parametrize("of", [Direction.CONSUMPTION, Direction.PRODUCTION])
async def test_records_that_a_peer_answers_outside_of_what_was_asked_are_dropped_and_counted(
    one: Prosody, new_node: MakeNode, new_plain: MakePlain, of: Direction
) -> None:
    """As the proxies in front of the network's operator do, which answer whole days of Paris."""
    liar, asker = await new_plain(one), await new_node(one)
    name = series(organisation("liar"), of)
    first, last = int(FIRST.timestamp()), int((FIRST + 3 * HOUR).timestamp())
    values = dict.fromkeys(range(first - 36000, last + 36000, 3600), 500)
    told = Data(describe(name, Duration(seconds=3600)), (Records(str(name), "W", values),))
    answer = answers.completed(Node.GET_HISTORY, payload=data.write(told))

    def say(stanza: StanzaBase) -> None:
        to, number = stanza["from"], stanza["id"]
        said = serialise(answer).decode()
        liar.send_raw(f'<iq type="result" to="{to}" id="{number}">{said}</iq>')

    liar.register_handler(Callback("asked", MatchXPath(f"{{jabber:client}}iq/{COMMAND}"), say))
    peer = liar.boundjid.full
    pages = [page async for page in asker.asking.history(peer, name, FIRST, FIRST + 3 * HOUR)]
    assert [dict(one.values) for page in pages for one in page.records] == [
        dict.fromkeys(range(first, last, 3600), 500)
    ]
    assert asker.asking.outside == 20
