"""Two servers, a Home Assistant, a node, and peers that know nothing but Quoalise.

The peers are plain slixmpp and stanzas typed from the description of the protocol; what they
receive is read by hand. The tests follow one another on one home.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import re
from typing import Any, Final, override
from xml.etree.ElementTree import Element, tostring

import pytest
import pytest_asyncio
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp.xmlstream.stanzabase import StanzaBase

from consometers_node.store import Store, settings
from demo.hass import Hass
from demo.servers.prosody import Prosody
from testing.programs.metered_home import import_energy
from testing.programs.node import NodeProgram
from testing.waiting import eventually
from testing.xmpp.plain_peer import (
    COMMAND,
    EMPTY,
    ERROR,
    FIELD,
    GET_HISTORY,
    SENML,
    SUBSCRIBE,
    PlainPeer,
    refusal,
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("warm"),
]

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

NOW: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
KNOWN_UNTIL: Final = NOW - 3 * HOUR
"""The hours after it are written while the peers listen."""
SINCE: Final = NOW.replace(hour=0) - timedelta(days=400)
HOURS: Final = [SINCE + n * HOUR for n in range(round((NOW - SINCE) / HOUR))]
HOLE: Final = NOW.replace(hour=0) - timedelta(days=100)
A_YEAR_DAYS: Final = 370
A_MONTH_DAYS: Final = 30

DRAWN: Final = "sensor.drawn"
FED: Final = "sensor.fed"
PANELS: Final = "portal:panels"
HEAT: Final = "sensor.heat_pump"
SHIFTS: Final = {DRAWN: 0, FED: 1_000, PANELS: 2_000, HEAT: 3_000}

PASSWORD: Final = "correct horse battery staple"
POINT: Final = "30001610071843"
POINT_URN: Final = f"urn:dev:prm:{POINT}_consumption/power/active/raw"
NOWHERE: Final = "urn:dev:prm:11111111111111_consumption/power/active/raw"

DISCO: Final = "http://jabber.org/protocol/disco#"

_LAST: Final = 50

type Values = dict[datetime, int]


class Confirming(PlainPeer):
    """A peer that announces receipts, and sends each some time after the message."""

    slowness_s = 0.0

    @override
    def _start(self, _event: object) -> None:
        info = MatchXPath(f"{{jabber:client}}iq/{{{DISCO}info}}query")
        self.register_handler(Callback("info", info, self._tell_features))
        super()._start(_event)

    def _tell_features(self, stanza: StanzaBase) -> None:
        self.send_raw(
            f'<iq type="result" to="{stanza.xml.get("from")}" id="{stanza.xml.get("id")}">'
            f'<query xmlns="{DISCO}info"><feature var="urn:xmpp:receipts"/></query></iq>'
        )

    @override
    def _receive(self, stanza: StanzaBase) -> None:
        super()._receive(stanza)
        assert stanza.xml.find("{urn:xmpp:receipts}request") is not None
        receipt = (
            f'<message to="{stanza.xml.get("from")}"><received xmlns="urn:xmpp:receipts"'
            f' id="{stanza.xml.get("id")}"/></message>'
        )
        self.loop.call_later(self.slowness_s, self.send_raw, receipt)


@dataclass
class World:
    """What is there, and how peers are known to each other."""

    hass: Hass
    home_server: Prosody
    peer_server: Prosody
    node: NodeProgram
    jid: str
    token: str
    coop: Confirming
    town: PlainPeer
    utility: PlainPeer
    stranger: PlainPeer
    permissions: dict[str, str]
    ungranted_until: datetime
    """Nobody was granted anything before."""
    corrected: dict[tuple[str, datetime], int]
    """How much more the register of a statistic shows at the end of an hour than it did."""

    def shown(self, statistic: str, hour: datetime) -> int:
        """What a register shows in Wh when an hour ends."""
        return register(statistic, hour) + self.corrected.get((statistic, hour), 0)

    def recorded(self, statistic: str, since: datetime, until: datetime = KNOWN_UNTIL) -> Values:
        """The records that there are, in W or Wh: a mean over an hour, in W, is the same number."""
        written = [hour for hour in HOURS if hour != HOLE and since - HOUR <= hour < until]
        return {
            hour: self.shown(statistic, hour) - self.shown(statistic, before)
            for before, hour in pairwise(written)
            if hour - before == HOUR
        }

    async def write(self, statistic: str, hours: Sequence[datetime]) -> None:
        """Have Home Assistant record hours, or record them again, and wait until it has."""
        shown = {hour: self.shown(statistic, hour) for hour in hours if hour != HOLE}
        await import_energy(self.hass.api, statistic, shown)
        last = dict(list(shown.items())[-_LAST:])

        async def there() -> dict[datetime, int]:
            rows = await self.hass.api.statistics(statistic, "hour", min(last))
            return {
                datetime.fromtimestamp(row["start"] / 1000, UTC): round(row.get("sum") or 0)
                for row in rows
            }

        await eventually(there, lambda recorded: last.items() <= recorded.items())

    async def announce(self) -> None:
        """Have Home Assistant say that there is something new."""
        await self.hass.api.request("POST", "events/recorder_hourly_statistics_generated")

    async def ask(self, peer: PlainPeer, payload: str) -> Element:
        return await peer.ask(f"{self.jid}/quoalise", payload)

    async def history(
        self, peer: PlainPeer, series: str, start: datetime, end: datetime = KNOWN_UNTIL
    ) -> Element:
        asked = GET_HISTORY.format(identifier=series, start=start.isoformat(), end=end.isoformat())
        return await self.ask(peer, asked)

    async def subscribe(self, peer: PlainPeer, series: str, *, node: str = "subscribe") -> Element:
        return await self.ask(peer, SUBSCRIBE.format(node=node, identifier=series))

    async def waiting(self) -> int:
        """Count what the node has queued for all peers."""
        peers: list[dict[str, Any]] = (await self.node.status())["peers"]
        return sum(peer["waiting"] for peer in peers)

    async def listed(self, peer: PlainPeer) -> dict[str, tuple[str, str]]:
        """Return the series that are listed to a peer, with interval and unit."""
        answer = await self.ask(peer, EMPTY.format(node="list_series"))
        assert answer.get("type") == "result", tostring(answer)
        series_by_name = {}
        for item in answer.iter("{jabber:x:data}item"):
            values = {field.get("var"): field.findtext("*", "") for field in item.iter(FIELD)}
            series_by_name[values["identifier"]] = (values["interval"], values["unit"])
        return series_by_name

    async def name(self, peer: PlainPeer, direction: str, kind: str) -> str:
        """The one name with that direction, under a pseudonym of that many devices."""
        wanted = f"_{direction}/{kind}"
        (name,) = [each for each in await self.listed(peer) if each.endswith(wanted)]
        return name


def drawn_wh(statistic: str, hour: datetime) -> int:
    """What flows in an hour.

    No port has such a number, so that a log can be searched for it; and when an hour is corrected,
    by 400 Wh at most, no hour draws more than a home can.
    """
    number = round(hour.timestamp() / 3600)
    return 61_401 + (7_919 * number + SHIFTS[statistic]) % 8_191


def _registers(statistic: str) -> dict[datetime, int]:
    shown: dict[datetime, int] = {}
    total = 0
    for hour in HOURS:
        total += drawn_wh(statistic, hour)
        shown[hour] = total
    return shown


_SHOWN: Final = {statistic: _registers(statistic) for statistic in SHIFTS}


def register(statistic: str, hour: datetime) -> int:
    """What the register showed before anything was corrected."""
    return _SHOWN[statistic][hour]


def records_in(stanza: Element) -> Iterator[tuple[str, datetime, int]]:
    """Name, time and value of the records of a stanza."""
    name, base = "", 0
    for record in stanza.iter(SENML):
        name, base = record.get("bn", name), int(record.get("bt", base))
        at = base + int(record.get("t", "0"))
        yield name + record.get("n", ""), datetime.fromtimestamp(at, UTC), int(record.get("v", ""))


def records(stanza: Element, series: str) -> Values:
    """The records of a stanza that is all about one series."""
    triples = list(records_in(stanza))
    assert {name for name, _, _ in triples} <= {series}
    return {at: value for _, at, value in triples}


def meta(stanza: Element) -> dict[str, str]:
    """What the metadata says of device and measurement."""
    (element,) = stanza.iter("{urn:quoalise:0}meta")
    facts = {f"device-{key}": value for key, value in element[0].items()}
    return facts | dict(element[1].items())


def received_by(peer: PlainPeer) -> list[Element]:
    """What came since this was last asked."""
    return [peer.heard.get_nowait() for _ in range(peer.heard.qsize())]


async def receives_all(peer: PlainPeer, series: str, wanted: Values) -> None:
    """Wait until a peer has received these records of a series, and nothing else of it."""
    received: Values = {}

    async def collect() -> Values:
        for stanza in received_by(peer):
            received.update({at: value for name, at, value in records_in(stanza) if name == series})
        return received

    await eventually(collect, lambda values: values.keys() >= wanted.keys())
    assert received == wanted


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    hass: Hass, servers: tuple[Prosody, Prosody], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    home_server, peer_server = servers
    token = await hass.api.long_lived_token()
    node = NodeProgram(tmp_path_factory.mktemp("node"))
    async with AsyncExitStack() as stack:
        jid = home_server.register("home", PASSWORD)
        users = peer_server.register_all(["coop", "town", "utility", "stranger"], PASSWORD)
        coop = Confirming(peer_server, users[0], PASSWORD)
        town, utility, stranger = (PlainPeer(peer_server, user, PASSWORD) for user in users[1:])
        peers = (coop, town, utility, stranger)
        for peer in peers:
            await stack.enter_async_context(peer)
        permissions: dict[str, str] = {}
        before = datetime.now(UTC).replace(microsecond=0)
        world = World(
            hass, home_server, peer_server, node, jid, token, *peers, permissions, before, {}
        )
        for statistic in SHIFTS:
            await world.write(statistic, [hour for hour in HOURS if hour < KNOWN_UNTIL])
        await _grant(world, users)
        stack.push_async_callback(node.stop)
        await node.start()
        await node.has_read_all()
        yield world


async def _grant(world: World, users: list[str]) -> None:
    node, numbers = world.node, world.permissions
    await node.log_in(world.home_server, world.jid, PASSWORD)
    await node.do("home", world.hass.url, answer=world.token)
    store = await Store.open(node.data / "node.db")
    async with store.writing() as connection:
        await settings.set_secret(connection, "delivery-point", POINT.encode())
    await store.close()
    coop, town, utility, _ = users
    flows = ("consumption", "injection", "production")
    numbers["coop"] = await node.be_asked(coop, "roof", *flows, history_days=A_YEAR_DAYS)
    chosen = (f"{DRAWN}=consumption", f"{FED}=injection", f"{PANELS}=production")
    await node.grant(numbers["coop"], *chosen)
    numbers["town"] = await node.be_asked(town, "days", *flows, history_days=A_YEAR_DAYS)
    less = ("--interval", "P1D", "--history", str(A_MONTH_DAYS))
    await node.grant(numbers["town"], f"{DRAWN}=consumption", options=less)
    numbers["utility"] = await node.be_asked(
        utility, "load", flows[0], history_days=A_MONTH_DAYS, identification="delivery-point"
    )
    await node.grant(numbers["utility"], f"{DRAWN}=consumption")


async def test_each_peer_lists_its_granted_series(world: World) -> None:
    load = "power/active/raw"
    coop = await world.listed(world.coop)
    assert set(coop.values()) == {("PT1H", "W")}
    tails = sorted(name.partition("_")[2] for name in coop)
    # What is injected at a meter is production there, and so is what the panels make.
    assert tails == [f"consumption/{load}", f"production/{load}", f"production/{load}"]
    (town,) = (await world.listed(world.town)).items()
    assert town[0].endswith("_consumption/energy/active/daily")
    assert town[1] == ("P1D", "Wh")
    assert await world.listed(world.utility) == {POINT_URN: ("PT1H", "W")}
    # Two peers cannot find out that they read the same meter.
    assert not {name.partition("_")[0] for name in coop} & {town[0].partition("_")[0], POINT_URN}


async def test_a_year_of_history_matches_the_recorder(world: World) -> None:
    began = NOW - timedelta(days=A_YEAR_DAYS - 1)
    # An answer has 2,000 records at most.
    page = timedelta(days=80)
    pages = [began + n * page for n in range(5)]
    directions: list[str] = []
    devices: list[str] = []
    for series in await world.listed(world.coop):
        received: Values = {}
        for start in pages:
            end = min(start + page, KNOWN_UNTIL)
            answer = await world.history(world.coop, series, start, end)
            assert answer.get("type") == "result", tostring(answer)
            command = answer.find(COMMAND)
            assert command is not None
            assert command.get("status") == "completed"
            assert [field.findtext("*") for field in command.iter(FIELD)] == ["Success"]
            received |= records(answer, series)
        facts = meta(answer)
        assert (facts["unit"], facts["sampling-interval"]) == ("W", "PT1H")
        directions.append(facts["direction"])
        devices.append(facts["device-type"])
        matching = [
            statistic for statistic in SHIFTS if received == world.recorded(statistic, began)
        ]
        assert len(matching) == 1
        assert {HOLE, HOLE + HOUR}.isdisjoint(received)
        assert len(received) == len([hour for hour in HOURS if began <= hour < KNOWN_UNTIL]) - 2
    assert sorted(directions) == ["consumption", "production", "production"]
    assert sorted(devices) == ["electricity-meter", "electricity-meter", "inverter"]


async def test_only_the_permitted_peer_reads_the_delivery_point(world: World) -> None:
    start = KNOWN_UNTIL - DAY
    answer = await world.history(world.utility, POINT_URN, start)
    assert records(answer, POINT_URN) == world.recorded(DRAWN, start)
    (identifier,) = answer.iter("{urn:quoalise:0}identifier")
    assert dict(identifier.items()) == {"authority": "enedis", "type": "prm", "value": POINT}
    assert refusal(await world.history(world.stranger, POINT_URN, start))[0] == "not-authorized"


async def test_requests_without_a_grant_are_refused(world: World) -> None:
    start = KNOWN_UNTIL - DAY
    coops = await world.name(world.coop, "consumption", "power/active/raw")
    towns = await world.name(world.town, "consumption", "energy/active/daily")
    refused = [
        (world.town, coops),  # What another peer may read, under its name
        (world.coop, towns),
        (world.town, towns.replace("energy/active/daily", "power/active/raw")),  # Finer
        (world.coop, coops.replace("power/active/raw", "energy/active/daily")),  # Coarser
        (world.utility, POINT_URN.replace("_consumption", "_production")),
        (world.utility, coops),
        (world.coop, NOWHERE),
    ]
    for peer, series in refused:
        for answer in (
            await world.history(peer, series, start),
            await world.subscribe(peer, series),
            await world.subscribe(peer, series, node="unsubscribe"),
        ):
            assert refusal(answer)[0] in {"not-authorized", "item-not-found"}
            assert answer.find(f".//{SENML}") is None


async def test_a_stranger_learns_nothing(world: World) -> None:
    coops = await world.name(world.coop, "consumption", "power/active/raw")
    start = KNOWN_UNTIL - DAY
    errors = set()
    for series in (coops, POINT_URN, NOWHERE):
        for answer in (
            await world.history(world.stranger, series, start),
            await world.history(world.stranger, series, SINCE - 900 * DAY, SINCE - 800 * DAY),
            await world.subscribe(world.stranger, series),
            await world.subscribe(world.stranger, series, node="unsubscribe"),
        ):
            error = answer.find(ERROR)
            assert error is not None
            errors.add(tostring(error))
    (only,) = errors
    assert b"not-authorized" in only
    assert await world.listed(world.stranger) == {}


async def test_discovery_reveals_nothing_of_the_home(world: World) -> None:
    answers = []
    for query in ("info", "items"):
        for about in ("", "http://jabber.org/protocol/commands"):
            named = f' node="{about}"' if about else ""
            payload = f'<query xmlns="{DISCO}{query}"{named}/>'
            answer = await world.stranger.ask(f"{world.jid}/quoalise", payload, kind="get")
            assert answer.get("type") == "result"
            answers.append(tostring(answer).decode())
    everything = " ".join(answers)
    for personal in ("urn:dev", POINT, "sensor", "portal", "Kersabiec", "coop", "two.test/data"):
        assert personal not in everything.replace(f'to="{world.stranger.boundjid.full}"', "")
    listed = set(re.findall(r'node="([a-z_]+)"', answers[-1]))
    asked = {"get_history", "subscribe", "unsubscribe", "list_series"}
    assert listed == {*asked, "terminate", "send_letter"}


async def test_new_hours_reach_subscribers_alone(world: World) -> None:
    series = await world.name(world.coop, "consumption", "power/active/raw")
    for peer, name in ((world.coop, series), (world.utility, POINT_URN)):
        answer = await world.subscribe(peer, name)
        assert answer.get("type") == "result", tostring(answer)
    for statistic in (DRAWN, FED, HEAT):
        await world.write(statistic, [KNOWN_UNTIL, KNOWN_UNTIL + HOUR])
    await world.announce()
    new = world.recorded(DRAWN, KNOWN_UNTIL, NOW - HOUR)
    assert len(new) == 2
    await receives_all(world.coop, series, new)
    await receives_all(world.utility, POINT_URN, new)
    assert received_by(world.town) == received_by(world.stranger) == []


async def test_a_withdrawal_stops_records_that_flow(world: World) -> None:
    coop = world.coop
    for series in await world.listed(coop):
        assert (await world.subscribe(coop, series)).get("type") == "result"
    await world.node.has_read_all()
    coop.slowness_s = 1
    days_back = {DRAWN: (2, 4, 6), FED: (2, 4, 6), PANELS: range(2, 34, 2)}
    for statistic, days in days_back.items():
        hours = [KNOWN_UNTIL - n * DAY for n in days]
        for hour in hours:
            world.corrected[statistic, hour] = world.corrected.get((statistic, hour), 0) - 300
        await world.write(statistic, hours)
    await eventually(world.waiting, lambda count: count == 0)
    received_by(coop)
    await world.announce()

    async def count() -> int:
        return coop.heard.qsize()

    await eventually(count, lambda count: count >= 2)
    await world.node.withdraw(world.permissions["coop"])
    until_then = await count()
    await world.announce()
    await asyncio.sleep(4)
    assert await count() == until_then < sum(map(len, days_back.values()))
    assert refusal(await world.history(coop, NOWHERE, NOW - DAY))[0] == "not-authorized"
    assert await world.listed(coop) == {}
    assert await world.waiting() == 0


async def test_a_withdrawal_drops_messages_in_flight(world: World) -> None:
    assert (await world.subscribe(world.utility, POINT_URN)).get("type") == "result"
    received_by(world.utility)
    world.home_server.freeze()
    try:
        hour = KNOWN_UNTIL - 70 * HOUR
        world.corrected[DRAWN, hour] = -200
        await world.write(DRAWN, [hour])
        await world.announce()
        # They have left the node, that hour and the next one, and no server has taken them.
        await eventually(world.waiting, lambda count: count == 2)
        await world.node.withdraw(world.permissions["utility"])
        assert await world.waiting() == 0
    finally:
        world.home_server.kill()
        world.home_server.start()

    async def answered() -> str:
        return refusal(await world.history(world.utility, POINT_URN, NOW - DAY))[0]

    await eventually(answered, lambda condition: condition == "not-authorized")
    await asyncio.sleep(2)
    assert received_by(world.utility) == []


async def test_the_log_has_no_personal_data(world: World) -> None:
    log = world.node.log
    assert "DEBUG" in log
    output = log + world.node.errors
    for secret in (world.token, PASSWORD, POINT):
        assert secret not in output
    for word in ("senml", world.coop.boundjid.bare, *SHIFTS):
        assert word not in output
    values = {str(drawn_wh(statistic, hour)) for statistic in SHIFTS for hour in HOURS}
    assert values.isdisjoint(re.findall(r"\b\d+\b", output))
    assert "Traceback" not in output
    assert " ERROR " not in output
