"""Words of somebody else: what enters of them, and what stands around them."""

from xml.etree.ElementTree import Element

import pytest

from consometers_node.i18n.foreign import in_html, isolated, quoted
from consometers_node.i18n.text import typeset
from consometers_node.permission import DataNeed
from consometers_node.sharing import consent_text
from consometers_node.store import PeerId
from consometers_node.store.peers import Peer
from consometers_node.wire.needs import read_need, write_need
from consometers_quoalise.bounds import clip
from consometers_quoalise.elements.markup import parse, serialise
from consometers_quoalise.federation import permissions_xml
from consometers_quoalise.foreign import clean
from testing.homes.data_needs import PROTECTED

TURNED = "Coop \u202emoc.live//:sptth\u202c"
LINES = "For the roof.\n\nKept after the end: nothing\u2028Data policy: \u0085https://good.example"
UNSEEN = ("\u202e", "\u2066", "\u2069", "\n", "\r", "\t", "\u0085", "\u009b", "\u2028", "\u2029")


def element(**words: str) -> Element:
    """Return a data need as a collective sends it, with other words."""
    needs = permissions_xml.write_data_needs([write_need(PROTECTED)])
    for name, said in words.items():
        for child in needs.iter():
            if child.tag.endswith(f"}}{name}"):
                child.text = said
    return needs


def received(**words: str) -> DataNeed:
    """Return what a home reads of it."""
    (need,) = permissions_xml.read_data_needs(parse(serialise(element(**words))))
    return read_need(need)


@pytest.mark.parametrize(
    "name", ["title", "purpose", "recipients", "controller", "contact", "name"]
)
@pytest.mark.parametrize("said", [TURNED, LINES, "a\u202eb\u009b31m\u2029c"])
def test_no_control_enters_by_a_request(name: str, said: str) -> None:
    need = received(**{name: said})
    assert need.witness is not None
    words = {
        **{field: getattr(need, field)["en"] for field in ("title", "purpose", "recipients")},
        "controller": need.controller,
        "contact": need.contact,
        "name": need.witness.name,
    }
    assert words[name]
    assert not [mark for mark in UNSEEN if mark in words[name]]


def test_an_error_of_a_peer_has_no_control() -> None:
    assert clip("text", f"{TURNED}\n{LINES}").isprintable()


@pytest.mark.parametrize(
    "said", ["Le toit\u202f: 30\u00a0kWc", "גג", "سقف", "a\u200db", "x  y", "Énergie"]
)
def test_words_that_people_write_enter_as_they_are(said: str) -> None:
    assert clean(said) == said


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_request_adds_no_line_to_the_text_that_is_agreed_to(language: str) -> None:
    peer = Peer(PeerId(1), "coop@energies.example", "Coop")
    usual = consent_text.need(PROTECTED, peer, language)
    forged = consent_text.need(
        received(title=LINES, purpose=LINES, recipients=LINES, controller=TURNED), peer, language
    )
    assert len(forged.splitlines()) == len(usual.splitlines())
    starts = [line.partition(":")[0].rstrip() for line in usual.splitlines()[1:]]
    for line, start in zip(forged.splitlines()[1:], starts, strict=True):
        assert line.startswith(start[:12])
    # The words are theirs, and each stands between our marks.
    assert isolated(typeset(clean(LINES), language)) in forged
    assert forged.count("\u2068") == forged.count("\u2069") > 7


def test_a_destination_isolates_words() -> None:
    assert isolated("גג") == "\u2068גג\u2069"
    assert quoted("Roof", "en") == "“\u2068Roof\u2069”"
    assert quoted("Toit", "fr") == "« \u2068Toit\u2069 »"
    assert in_html("<b>&", "fr") == '<bdi lang="fr">&lt;b&gt;&amp;</bdi>'
    assert [isolated(""), quoted("", "fr"), in_html("")] == ["", "", ""]
