"""Errors to and from stanzas, in the language of the request."""

import pytest

from consometers_node.quoalise import (
    BadRequest,
    ErrorType,
    ItemNotFound,
    Malformed,
    NotAuthorized,
    OtherError,
    Problem,
    QuoaliseError,
    ResourceConstraint,
    Text,
    UpstreamError,
    stanza_errors,
)
from consometers_node.quoalise.markup import serialise

from .samples import element

SAID = Text({"en": "No.", "fr": "Non."})

ERRORS: list[tuple[QuoaliseError, str, ErrorType]] = [
    (NotAuthorized(), "not-authorized", ErrorType.AUTH),
    (ItemNotFound(), "item-not-found", ErrorType.CANCEL),
    (BadRequest(SAID), "bad-request", ErrorType.MODIFY),
    (ResourceConstraint(), "resource-constraint", ErrorType.WAIT),
    (UpstreamError("enedis-sge-tiers", "SGT4G3"), "undefined-condition", ErrorType.CANCEL),
    (UpstreamError("enedis-sge-tiers", None, SAID), "undefined-condition", ErrorType.CANCEL),
    (OtherError("service-unavailable", ErrorType.CANCEL), "service-unavailable", ErrorType.CANCEL),
]


@pytest.mark.parametrize(("error", "condition", "kind"), ERRORS, ids=str)
def test_an_error_has_its_condition_and_goes_both_ways(
    error: QuoaliseError, condition: str, kind: ErrorType
) -> None:
    sent = stanza_errors.write(error, "fr")
    assert sent.get("type") == kind
    assert sent[0].tag == f"{{urn:ietf:params:xml:ns:xmpp-stanzas}}{condition}"
    got = stanza_errors.read(element(serialise(sent)))
    assert type(got) is type(error)
    assert (got.condition, got.type) == (condition, kind)
    assert got.text == Text({"fr": error.text.say("fr")})
    for name in ("issuer", "code"):
        assert getattr(got, name, None) == getattr(error, name, None)


def test_what_a_source_said_is_written_as_todays_proxies_do() -> None:
    error = UpstreamError("enedis-sge-tiers", "SGT4G3", SAID)
    assert serialise(stanza_errors.write(error, "fr-FR")).decode() == (
        '<error xmlns="jabber:client" type="cancel">'
        '<undefined-condition xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>'
        '<text xmlns="urn:ietf:params:xml:ns:xmpp-stanzas" xml:lang="fr">Non.</text>'
        '<upstream-error xmlns="urn:quoalise:0" issuer="enedis-sge-tiers" code="SGT4G3"/></error>'
    )


def test_a_source_that_gave_no_code_is_read_and_written() -> None:
    """Today's proxies leave the code out; today's client fails where it is not."""
    sent = stanza_errors.write(UpstreamError("enedis-sge-tiers"))
    assert sent[-1].attrib == {"issuer": "enedis-sge-tiers", "code": ""}
    del sent[-1].attrib["code"]
    error = stanza_errors.read(sent)
    assert isinstance(error, UpstreamError)
    assert error.code is None


def test_what_cannot_be_read_is_sent_as_a_bad_request_that_names_the_place() -> None:
    error = Malformed("command/get_history/identifier", Problem.NO_FIELD)
    got = stanza_errors.read(stanza_errors.write(error, "en"))
    assert type(got) is BadRequest
    assert str(got) == "command/get_history/identifier: this field is missing: fill it in."


def test_a_language_that_we_do_not_have_gets_english() -> None:
    sent = stanza_errors.write(NotAuthorized(), "de")
    assert stanza_errors.read(sent).text == Text({"en": NotAuthorized.words.say("en")})


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
def test_any_error_is_read(sent: str, condition: str, kind: ErrorType) -> None:
    error = stanza_errors.read(element(sent))
    assert type(error) is OtherError
    assert (error.condition, error.type) == (condition, kind)
    assert condition in error.text.say("fr")
