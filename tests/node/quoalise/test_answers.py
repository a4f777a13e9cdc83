"""What a node answers: forms to fill in, success, tables."""

import pytest

from consometers_node.i18n.protocol import OurWords
from consometers_quoalise import COMMANDS, Node, answers, requests
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.records import data
from packages.quoalise.tests.samples import EXAMPLE, PERMISSION, POWER


@pytest.mark.parametrize(
    ("language", "title", "label", "hint"),
    [
        ("en", "Withdraw a permission", "Number of the permission", "Erase the received data"),
        (
            "fr-FR",
            "Retirer une autorisation",
            "Numéro de l’autorisation",
            "Effacer les données reçues",
        ),
    ],
)
def test_a_form_is_in_the_language_of_the_request(
    language: str, title: str, label: str, hint: str
) -> None:
    form = answers.to_fill(
        COMMANDS[Node.WITHDRAW],
        "s-1",
        OurWords(language),
        {"permission": PERMISSION.id},
    )
    assert serialise(form).decode() == (
        '<command xmlns="http://jabber.org/protocol/commands" node="withdraw" status="executing"'
        f' sessionid="s-1"><x xmlns="jabber:x:data" type="form"><title>{title}</title>'
        f'<field var="permission" type="text-single" label="{label}"><required/>'
        f"<value>{PERMISSION.id}</value></field>"
        f'<field var="erase" type="boolean" label="{hint}">'
        "<value>true</value></field></x></command>"
    )


@pytest.mark.parametrize("node", [node for node in Node if COMMANDS[node].fields])
def test_a_returned_form_is_a_request(node: Node) -> None:
    values = {"identifier": POWER, "permission": PERMISSION.id}
    answer = answers.to_fill(COMMANDS[node], "s-1", values=values)
    form = answer.find("{jabber:x:data}x")
    assert form is not None
    form.set("type", "submit")
    assert not isinstance(requests.read(answer), requests.ToFill)


def test_history_is_answered_with_a_success_form() -> None:
    example = data.decode(EXAMPLE.encode())
    answer = answers.completed(
        Node.GET_HISTORY, POWER, payload=data.write(example), session="s-1", words=OurWords("en")
    )
    assert serialise(answer).startswith(
        '<command xmlns="http://jabber.org/protocol/commands" node="get_history"'
        ' status="completed" sessionid="s-1">'
        '<x xmlns="jabber:x:data" type="result"><title>Get history</title>'
        f'<field var="result" type="fixed" label="Get history {POWER}"><value>Success</value>'
        '</field></x><quoalise xmlns="urn:quoalise:0"><data><meta>'.encode()
    )
    assert data.read(answers.payload(answer, data.QUOALISE)) == example


def test_series_are_listed_in_a_data_form() -> None:
    answer = answers.listed([], words=OurWords("fr"))
    assert serialise(answer).decode() == (
        '<command xmlns="http://jabber.org/protocol/commands" node="list_series"'
        ' status="completed"><x xmlns="jabber:x:data" type="result">'
        "<title>Lister les séries</title><reported>"
        '<field var="identifier" type="text-single" label="Identifiant"/>'
        '<field var="interval" type="text-single" label="Résolution"/>'
        '<field var="unit" type="text-single" label="Unité"/>'
        '<field var="first" type="text-single" label="Premier enregistrement"/>'
        '<field var="last" type="text-single" label="Dernier enregistrement"/>'
        '<field var="device" type="text-single" label="Appareil"/>'
        "</reported></x></command>"
    )
