"""Documents of the federation, whole and bent: what a peer may send, and what nobody would."""

from copy import deepcopy
from xml.etree.ElementTree import Element, SubElement

from hypothesis import strategies as st

from consometers_node.i18n.protocol import OurWords
from consometers_quoalise import Node, answers, requests, stanza_errors
from consometers_quoalise.errors import BadRequest
from consometers_quoalise.federation import permissions_xml
from consometers_quoalise.records import data
from packages.quoalise.tests.samples import (
    DATA,
    DATA_NEEDS,
    EXAMPLE,
    LISTED,
    NAMES,
    PERMISSIONS,
    POWER,
    RECEIPTS,
    REQUEST,
    REQUESTS,
    element,
)

NASTY = st.sampled_from(
    [
        "",
        " ",
        "0",
        "-0",
        "-1",
        "007",
        "1e308",
        "1e400",
        "-1e-400",
        "NaN",
        "Infinity",
        "1_0",
        "٣",
        "9" * 400,
        "9" * 5_000,
        "0x10",
        "1583016600",
        "253402300799",
        "-62135596801",
        "P1D",
        "PT0S",
        "P99999999999999999999Y",
        "PT5M",
        "PT25H",
        "2021-12-01T00:00:00+01:00",
        "2021-12-01T00:00:00+23:59",
        "2021-02-30T00:00:00Z",
        "2099-12-31T23:59:59.999999999Z",
        "1978-07-05T00:00:00-14:00",
        "true",
        "granted",
        "expired",
        "consumption",
        "sum",
        "delivery-point",
        POWER,
        "urn:dev:org:60060-kersabiec_consumption/power/active/raw",
        "urn:dev:org:60060-kersabiec_consumption/power/active/raw/members",
        "urn:dev:mac:0123456789ab_production/energy/active/daily",
        "a@b@c/d",
        "..",
        "../../etc/passwd",
        "%00",
        "’ OR 1=1 --",
        "\u202e",
        "\U0001f50c",
        "é" * 300,
        "x" * 90_000,
        "a-" * 20_000,
        "0" * 64,
        *Node,
    ]
) | st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n"), max_size=12)

_TAGS = st.sampled_from(
    [
        "other",
        requests.COMMAND,
        data.QUOALISE,
        permissions_xml.PERMISSION,
        permissions_xml.RECEIPT,
        permissions_xml.DATA_NEEDS,
        "{jabber:x:data}x",
        "{jabber:x:data}field",
        "{jabber:x:data}value",
        "{urn:quoalise:0}data",
        "{urn:quoalise:0}meta",
        "{urn:ietf:params:xml:ns:senml}sensml",
        "{urn:ietf:params:xml:ns:senml}senml",
    ]
)


COMMANDS: st.SearchStrategy[Element] = (
    REQUESTS.map(requests.write)
    | st.just(element(REQUEST)[0])
    | st.builds(lambda node: Element(requests.COMMAND, {"node": node}), st.sampled_from(Node))
)
DATA_ELEMENTS: st.SearchStrategy[Element] = DATA.map(data.write) | st.just(element(EXAMPLE))
DOCUMENTS: st.SearchStrategy[Element] = st.one_of(
    COMMANDS,
    DATA_ELEMENTS,
    st.lists(DATA_NEEDS, max_size=2).map(permissions_xml.write_data_needs),
    PERMISSIONS.map(permissions_xml.write_permission),
    RECEIPTS.map(permissions_xml.write_receipt),
    st.lists(LISTED, max_size=3).map(answers.listed),
    RECEIPTS.map(
        lambda receipt: answers.completed(
            Node.GRANT, payload=permissions_xml.write_receipt(receipt)
        )
    ),
    st.just(stanza_errors.write(BadRequest(), OurWords("fr"))),
)


@st.composite
def bent(draw: st.DrawFn, documents: st.SearchStrategy[Element], most: int = 4) -> Element:
    """Return a document in which a few things were changed."""
    root = deepcopy(draw(documents))
    for _ in range(draw(st.integers(0, most))):
        places = list(root.iter())
        place = places[draw(st.integers(0, len(places) - 1))]
        match draw(st.integers(0, 8)):
            case 0 if place.attrib:
                place.set(draw(st.sampled_from(sorted(place.attrib))), draw(NASTY))
            case 1 if place.attrib:
                del place.attrib[draw(st.sampled_from(sorted(place.attrib)))]
            case 2:
                place.text = draw(NASTY)
            case 3 if len(place):
                place.remove(place[draw(st.integers(0, len(place) - 1))])
            case 4 if len(place):
                copied = deepcopy(place[draw(st.integers(0, len(place) - 1))])
                place.extend(deepcopy(copied) for _ in range(draw(st.sampled_from([1, 1, 60]))))
            case 5:
                place.tag = draw(_TAGS)
            case 6:
                place.set(
                    draw(NAMES | st.just("{http://www.w3.org/XML/1998/namespace}lang")), draw(NASTY)
                )
            case 7:
                SubElement(place, draw(_TAGS)).text = draw(st.none() | NASTY)
            case _:
                depth = draw(st.sampled_from([1, 20, 3_000]))
                for _ in range(depth):
                    place = SubElement(place, "a")
                if depth > 100:
                    break
    return root


@st.composite
def damaged(draw: st.DrawFn, document: bytes) -> bytes:
    altered = bytearray(document)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(altered) - 1)))
        match draw(st.integers(0, 3)):
            case 0:
                altered[at : at + 1] = draw(st.binary(min_size=1, max_size=4))
            case 1:
                del altered[at : at + draw(st.integers(1, 40))]
            case 2:
                altered[at:at] = draw(
                    st.sampled_from(
                        [
                            b"<!DOCTYPE a>",
                            b"&#0;",
                            b"&a;",
                            b"<![CDATA[",
                            b"<?x?>",
                            b"\xff\xfe",
                            b"\0",
                        ]
                    )
                )
            case _:
                altered[at:at] = altered[at : at + draw(st.integers(1, 80))] * draw(
                    st.sampled_from([1, 1, 500])
                )
    return bytes(altered)
