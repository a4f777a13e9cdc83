"""Stanzas of any shape to a home and to a collective: an answer of the protocol, or nothing."""

import asyncio
from datetime import timedelta
import logging
from pathlib import Path
from xml.etree.ElementTree import Element

from hypothesis import strategies as st
import pytest

from consometers_node.permission import Identification
from consometers_node.store import Store
from consometers_quoalise import Direction, ItemNotFound, Node, Role, requests, stanza_errors
from consometers_quoalise.records import data
from consometers_quoalise.records.identifier import organisation, series
from testing.collectives.members import join, meter, permission
from testing.collectives.records import pushed_data
from testing.homes.data_needs import HOURLY, now
from testing.homes.ledgers import HOUR, NAMING, Ledger, midnight
from testing.hostile.documents import COMMANDS, DATA_ELEMENTS, DOCUMENTS, NASTY, bent
from testing.hostile.exploring import explore
from testing.hostile.nodes import MEMBER, STRANGER, Target, is_answer

HELD, OTHER = (f"00000000-0000-4000-8000-00000000000{n}" for n in range(2))
CLIENT = "{jabber:client}"
SENDERS = st.sampled_from(
    [MEMBER, MEMBER, MEMBER, STRANGER, "node@example.com/quoalise", "example.com", ""]
)
KINDS = {
    "iq": st.sampled_from(["set", "set", "set", "set", "set", "get", "result", "error", "x"]),
    "message": st.sampled_from(["normal", "normal", "chat", "groupchat", "error", "headline", "x"]),
    "presence": st.sampled_from(["", "subscribe", "unavailable", "probe", "error"]),
}


@st.composite
def stanzas(draw: st.DrawFn, payloads: st.SearchStrategy[Element]) -> Element:
    """Return a stanza as our server hands it over: it vouches for `from`, and for nothing else."""
    name = draw(st.sampled_from(["iq", "iq", "iq", "iq", "message", "message", "presence"]))
    attributes = {"from": draw(SENDERS), "to": "node@example.com/quoalise", "id": draw(NASTY)}
    attributes["type"] = draw(KINDS[name])
    attributes["{http://www.w3.org/XML/1998/namespace}lang"] = draw(
        st.sampled_from(["fr", "en"]) | NASTY
    )
    if draw(st.integers(0, 9)) == 9:
        del attributes[draw(st.sampled_from(sorted(attributes)))]
    stanza = Element(CLIENT + name, attributes)
    stanza.extend(draw(payloads) for _ in range(draw(st.sampled_from([1, 1, 1, 2]))))
    if draw(st.booleans()):
        stanza.append(Element("{urn:xmpp:receipts}request"))
    return stanza


OTHERS = st.one_of(
    bent(COMMANDS, 2),
    bent(DATA_ELEMENTS, 2),
    bent(DOCUMENTS),
    st.sampled_from(
        [
            "{urn:xmpp:ping}ping",
            "{http://jabber.org/protocol/disco#info}query",
            "{http://jabber.org/protocol/disco#items}query",
            "{jabber:iq:roster}query",
            "{urn:xmpp:receipts}received",
            CLIENT + "error",
            CLIENT + "body",
        ]
    ).map(Element),
)


def two_requests_in_one() -> Element:
    iq = Element(CLIENT + "iq", {"from": STRANGER, "id": "1", "type": "set"})
    iq.extend([Element("{urn:xmpp:ping}ping"), requests.write(requests.ListSeries())])
    return iq


def is_withdrawal(stanza: Element) -> bool:
    return any(command.get("node") == Node.WITHDRAW for command in stanza.iter(requests.COMMAND))


async def home(store: Store) -> list[Element]:
    """Fill a home with a series that a collective may read, and return that one's requests."""
    peer = MEMBER.partition("/")[0]
    ledger = await Ledger.open(store, peer)
    hours = [midnight(-1) + n * HOUR for n in range(24)]
    await ledger.keep(dict.fromkeys(hours, 100))
    await ledger.cover(midnight(-40), midnight(1))
    permission = await ledger.grant()
    name = NAMING.name(HOURLY, peer, Identification.PSEUDONYM)
    sent = (
        requests.GetHistory(name, hours[0], hours[-1]),
        requests.Subscribe(name),
        requests.Unsubscribe(name),
        requests.ListSeries(),
        requests.Terminate(permission),
    )
    return [requests.write(request) for request in sent]


async def collective(store: Store) -> list[Element]:
    """Fill a collective with one member, and return what that may send."""
    yesterday = now() - timedelta(days=1)
    held = permission(meter("coop"), id=HELD, at=yesterday)
    async with store.writing() as connection:
        await join(connection, "coop", held, yesterday)
    sent = (
        requests.Grant(permission(meter("b"), id=OTHER, at=now())),
        requests.Grant(held),
        requests.Withdraw(HELD),
        requests.GetDataNeeds(),
        requests.ListSeries(),
        requests.GetHistory(series(organisation("kersabiec"), Direction.CONSUMPTION)),
    )
    pushed = pushed_data(meter("coop"), midnight(-1), [100, 200, 300])
    return [*(requests.write(request) for request in sent), *[data.write(pushed)] * 4]


@pytest.mark.parametrize(
    ("role", "surface"),
    [(Role.HOUSEHOLD, "stanzas of a home"), (Role.COLLECTIVE, "stanzas of a collective")],
)
def test_a_node_answers_or_ignores_every_stanza(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, role: Role, surface: str
) -> None:
    file = tmp_path / "node.db"
    with asyncio.Runner() as runner:
        store = runner.run(Store.open(file))
        allowed = runner.run((home if role is Role.HOUSEHOLD else collective)(store))
        node = runner.run(Target.of(role, store, file))
        accepted = 0

        def check(stanza: Element) -> None:
            nonlocal accepted
            caplog.clear()
            taken = runner.run(node.take(stanza))
            assert taken.traffic.failed == 0
            assert taken.traffic.unkept == 0
            assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
            errors = [
                stanza_errors.read(error)
                for answer in taken.answers
                for error in answer.xml.findall(CLIENT + "error")
            ]
            assert not {error.condition for error in errors} & {
                "internal-server-error",
                "undefined-condition",
            }
            assert all(map(is_answer, taken.answers))
            assert len(taken.answers) <= 1
            if node.has_changed():
                accepted += 1
                runner.run(node.begin_again())
                assert stanza.get("from") == MEMBER
                # That a permission was withdrawn before it came is noted.
                assert not errors or (is_withdrawal(stanza) and type(errors[0]) is ItemNotFound)

        payloads = bent(st.sampled_from(allowed), 1)
        regressions = [(two_requests_in_one(),)]
        explore(surface, 100, check, stanzas(payloads | payloads | OTHERS), regressions=regressions)
        assert accepted
        runner.run(node.close())
