"""The protocol's codes and our sentences: each has the other."""

from collections.abc import Iterator

from consometers_node.i18n.protocol import (
    COLUMNS,
    DESCRIPTIONS,
    LABELS,
    ROLES,
    SENTENCES,
    TITLES,
    OurWords,
    refusal,
    sentence,
)
from consometers_quoalise import (
    COMMANDS,
    BadRequest,
    Code,
    Event,
    Malformed,
    Node,
    NotAuthorized,
    Problem,
    ProtocolError,
    Role,
    UpstreamError,
    Words,
    answers,
)
from consometers_quoalise_network.errors import NetworkError, WrongPassword
from consometers_quoalise_xmpp.parsing import Excess


def kinds(base: type[ProtocolError]) -> Iterator[type[ProtocolError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


CODES = [*Problem, *Code, *Event, *Excess, *(kind.code for kind in kinds(NetworkError))]


def test_every_code_exists_once_and_has_its_sentence() -> None:
    assert sorted(CODES) == sorted(SENTENCES)


def test_every_kind_of_error_has_a_code_with_a_sentence() -> None:
    assert {kind.code for kind in kinds(ProtocolError) if kind is not NetworkError} <= set(CODES)


def test_commands_and_their_forms_have_words_and_no_others() -> None:
    fields = {field.var for command in COMMANDS.values() for field in command.fields}
    assert TITLES.keys() == set(Node)
    assert LABELS.keys() == fields
    assert DESCRIPTIONS.keys() <= fields
    assert COLUMNS.keys() == set(answers.COLUMNS)
    assert ROLES.keys() == {*Role, None}


def test_an_error_shows_no_detail_unless_it_is_put_into_words() -> None:
    wrong = WrongPassword(jid="marie@example.org")
    assert str(wrong) == repr(wrong.args[0])[1:-1] == "wrong-password"
    assert "marie@example.org" in sentence(wrong).say("fr")
    error = Malformed("permission@id", Problem.NOT_A_UUID, found="30001610071843")
    assert str(error) == "permission@id: not-a-uuid"
    assert "30001610071843" not in repr(error)
    assert "« 30001610071843 »" in sentence(error).say("fr")


def test_a_peer_s_own_words_are_heard() -> None:
    assert sentence(BadRequest({"fr": "Pas encore."})).say("en") == "Pas encore."
    error = UpstreamError("enedis", "SGT4G3", {"en": "Not yet."})
    assert refusal("a@example.org", error).say() == (
        "The source of a@example.org's data (enedis) refuses, with the code SGT4G3: Not yet."
    )


def test_a_stranger_s_program_has_names_and_codes_for_words() -> None:
    words, error = Words("fr"), NotAuthorized()
    assert words.sentence(error) == ("en", "not-authorized")
    assert words.title(Node.GET_HISTORY) == "get_history"
    assert OurWords("fr").sentence(error)[0] == "fr"
