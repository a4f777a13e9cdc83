"""What peers ask: today's client, chat clients, nodes of ours."""

from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element

import pytest

from consometers_quoalise import (
    COMMANDS,
    Node,
    requests,
)
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.iso8601 import moment
from consometers_quoalise.records.identifier import identifier

from .samples import POWER, REQUEST, element

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def command(inside: str, node: str = "get_history", more: str = "") -> Element:
    return element(
        '<command xmlns="http://jabber.org/protocol/commands"'
        f' node="{node}"{more}>{inside}</command>'
    )


def test_the_public_example_is_read() -> None:
    asked = element(REQUEST).find(requests.COMMAND)
    assert asked is not None
    assert requests.read(asked) == requests.GetHistory(
        identifier(POWER),
        moment("2021-12-01T00:00:00+01:00"),
        moment("2021-12-05T00:00:00+01:00"),
    )


def test_requests_are_written_as_by_the_existing_client() -> None:
    asked = requests.GetHistory(identifier(POWER), moment("2021-12-01T00:00:00+01:00"))
    assert serialise(requests.write(asked)).decode() == (
        '<command xmlns="http://jabber.org/protocol/commands" node="get_history" action="execute">'
        '<x xmlns="jabber:x:data" type="submit">'
        f'<field var="identifier" type="text-single"><value>{POWER}</value></field>'
        '<field var="start_time" type="text-single">'
        "<value>2021-12-01T00:00:00+01:00</value></field>"
        "</x></command>"
    )


@pytest.mark.parametrize(
    "action", ["", ' action="execute"', ' action="next"', ' action="complete"']
)
def test_white_space_untyped_and_empty_fields_are_accepted(action: str) -> None:
    asked = command(
        f'<x xmlns="jabber:x:data" type="submit"><field var="identifier">\n <value>\n {POWER}\n'
        ' </value></field><field var="start_time"><value/></field><field var="end_time"/>'
        '<field var="FORM_TYPE" type="hidden"><value>other</value></field></x>',
        more=action,
    )
    assert requests.read(asked) == requests.GetHistory(identifier(POWER))


@pytest.mark.parametrize("node", [node for node in Node if COMMANDS[node].fields])
def test_a_command_without_its_form_is_answered_with_the_form(node: Node) -> None:
    assert requests.read(command("", node)) == requests.ToFill(COMMANDS[node])


@pytest.mark.parametrize(
    ("node", "expected"),
    [(Node.LIST_SERIES, requests.ListSeries()), (Node.GET_DATA_NEEDS, requests.GetDataNeeds())],
)
def test_a_command_without_fields_needs_no_form(node: Node, expected: requests.Request) -> None:
    assert requests.read(command("", node)) == expected


def test_requests_may_be_cancelled() -> None:
    cancelled = requests.Cancelled(COMMANDS[Node.GET_HISTORY])
    assert requests.read(command("", more=' action="cancel"')) == cancelled
    assert requests.read(command('<x xmlns="jabber:x:data" type="cancel"/>')) == cancelled


def test_a_withdrawal_erases_by_default() -> None:
    asked = command(
        '<x xmlns="jabber:x:data" type="submit">'
        '<field var="permission"><value>2f6c1f0a-52b7-4c39-9d0e-6a1b5f8e7c3d</value></field></x>',
        "withdraw",
    )
    assert requests.read(asked) == requests.Withdraw(
        "2f6c1f0a-52b7-4c39-9d0e-6a1b5f8e7c3d", erase=True
    )


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, (NOW - DAY, NOW)),
        (NOW - 3 * DAY, None, (NOW - 3 * DAY, NOW)),
        (None, NOW - DAY, (NOW - 2 * DAY, NOW - DAY)),
        (NOW - 3 * DAY, NOW - DAY, (NOW - 3 * DAY, NOW - DAY)),
        (NOW + DAY, None, (NOW + DAY, NOW + DAY)),
    ],
)
def test_history_defaults_to_the_last_day(
    start: datetime | None, end: datetime | None, expected: tuple[datetime, datetime]
) -> None:
    assert requests.GetHistory(identifier(POWER), start, end).range(NOW) == expected
