"""Errors to and from stanzas, in the language of the request."""

import pytest

from consometers_node.i18n.protocol import SENTENCES, OurWords, sentence
from consometers_quoalise import (
    BadRequest,
    ErrorType,
    ItemNotFound,
    Malformed,
    NotAuthorized,
    OtherError,
    Problem,
    QuoaliseError,
    ResourceConstraint,
    UpstreamError,
    stanza_errors,
)
from consometers_quoalise.elements.markup import serialise
from packages.quoalise.tests.samples import element

NO = {"en": "No.", "fr": "Non."}

ERRORS: list[tuple[QuoaliseError, str, ErrorType]] = [
    (NotAuthorized(), "not-authorized", ErrorType.AUTH),
    (ItemNotFound(), "item-not-found", ErrorType.CANCEL),
    (BadRequest(NO), "bad-request", ErrorType.MODIFY),
    (ResourceConstraint(), "resource-constraint", ErrorType.WAIT),
    (UpstreamError("enedis-sge-tiers", "SGT4G3"), "undefined-condition", ErrorType.CANCEL),
    (UpstreamError("enedis-sge-tiers", None, NO), "undefined-condition", ErrorType.CANCEL),
    (OtherError("service-unavailable", ErrorType.CANCEL), "service-unavailable", ErrorType.CANCEL),
]


@pytest.mark.parametrize(("error", "condition", "kind"), ERRORS, ids=range(len(ERRORS)))
def test_stanza_errors_round_trip(error: QuoaliseError, condition: str, kind: ErrorType) -> None:
    sent = stanza_errors.write(error, OurWords("fr"))
    assert sent.get("type") == kind
    assert sent[0].tag == f"{{urn:ietf:params:xml:ns:xmpp-stanzas}}{condition}"
    got = stanza_errors.read(element(serialise(sent)))
    assert type(got) is type(error)
    assert (got.condition, got.type) == (condition, kind)
    assert got.texts == {"fr": sentence(error).say("fr")}
    for name in ("issuer", "issuer_code"):
        assert getattr(got, name, None) == getattr(error, name, None)


def test_upstream_errors_are_written_as_by_existing_proxies() -> None:
    error = UpstreamError("enedis-sge-tiers", "SGT4G3", NO)
    assert serialise(stanza_errors.write(error, OurWords("fr-FR"))).decode() == (
        '<error xmlns="jabber:client" type="cancel">'
        '<undefined-condition xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>'
        '<text xmlns="urn:ietf:params:xml:ns:xmpp-stanzas" xml:lang="fr">Non.</text>'
        '<upstream-error xmlns="urn:quoalise:0" issuer="enedis-sge-tiers" code="SGT4G3"/></error>'
    )


def test_upstream_errors_without_a_code_round_trip() -> None:
    """Today's proxies leave the code out; today's client fails where it is not."""
    sent = stanza_errors.write(UpstreamError("enedis-sge-tiers"))
    assert sent[-1].attrib == {"issuer": "enedis-sge-tiers", "code": ""}
    del sent[-1].attrib["code"]
    error = stanza_errors.read(sent)
    assert isinstance(error, UpstreamError)
    assert error.issuer_code is None


def test_malformed_requests_are_sent_as_bad_requests_with_their_place() -> None:
    error = Malformed("command/get_history/identifier", Problem.NO_FIELD)
    got = stanza_errors.read(stanza_errors.write(error, OurWords("en")))
    assert type(got) is BadRequest
    assert (
        sentence(got).say() == "command/get_history/identifier: this field is missing: fill it in."
    )


def test_unsupported_languages_fall_back_to_english() -> None:
    sent = stanza_errors.write(NotAuthorized(), OurWords("de"))
    assert stanza_errors.read(sent).texts == {"en": SENTENCES["not-authorized"].say("en")}


def test_a_program_without_words_of_its_own_sends_the_code_and_the_place() -> None:
    error = Malformed("command/get_history/start_time", Problem.NOT_A_TIME, found="noon")
    got = stanza_errors.read(stanza_errors.write(error))
    assert got.texts == {"en": "command/get_history/start_time: not-a-time"}


@pytest.mark.parametrize(
    ("sent", "condition", "kind"),
    [
        ("<error/>", "undefined-condition", ErrorType.CANCEL),
        ('<error type="later"><x/></error>', "undefined-condition", ErrorType.CANCEL),
        (
            (
                '<error type="wait"><remote-server-timeout'
                ' xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>'
            ),
            "remote-server-timeout",
            ErrorType.WAIT,
        ),
    ],
)
def test_errors_of_other_software_are_read(sent: str, condition: str, kind: ErrorType) -> None:
    error = stanza_errors.read(element(sent))
    assert type(error) is OtherError
    assert (error.condition, error.type) == (condition, kind)
    assert condition in sentence(error).say("fr")
