"""A home whose page is served: a real node and its database, a toy Home Assistant."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
import re

from aiohttp import ClientSession, CookieJar
from yarl import URL

from consometers_node.household.node import HomeNode, HouseholdPace
from consometers_node.household.recorder.home_assistant import HomeAssistant, HomeAssistantAccess
from consometers_node.household.recorder.source import HomeAssistantSource
from consometers_node.i18n.protocol import OurWords
from consometers_node.permission import DataNeed, Permissions
from consometers_node.store import PermissionId, Store
from consometers_node.store.clock import Clock
from consometers_node.store.peers import add_peer
from consometers_node.web.site import Keys, Site
from consometers_quoalise_network import Identity, Server
from consometers_quoalise_network.backoff import Backoff
from consometers_quoalise_xmpp import XmppTransport
from testing.home_assistant.toy import TOKEN, ToyHomeAssistant, ms, serving
from testing.homes.data_needs import NEED, now
from testing.homes.ledgers import NAMING
from testing.networks import QUICK
from testing.pages.browser import Browser
from testing.run import DEADLINE_S
from testing.witnesses.toy import CODE

ADMIN = "0123456789abcdef0123456789abcdef"
GUEST = "fedcba9876543210fedcba9876543210"
DRAWN, FED, MADE, UNKNOWN = (
    "sensor.grid_in",
    "sensor.grid_out",
    "sensor.roof",
    "sensor.mystery",
)
SUBSCRIBED = "sensor.subscribed_power"
"""Of the meter of `DRAWN`: 6 kVA."""
NAME = "Linky Énergie soutirée"
API_TOKEN = "the-token-of-the-api"
HASTE = 1000
DAYS = 10

_USERS = [
    {"id": ADMIN, "name": "Maïwenn", "is_owner": True, "is_active": True, "group_ids": []},
    {"id": GUEST, "name": "Guest", "is_owner": False, "is_active": True, "group_ids": []},
]
_PREFERENCES = {
    "energy_sources": [
        {"type": "grid", "stat_energy_from": DRAWN, "stat_energy_to": FED},
        {"type": "solar", "stat_energy_from": MADE},
    ]
}


def toy() -> ToyHomeAssistant:
    """A Home Assistant with three registers that the Energy dashboard shows, and one more."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hours = {
        name: [
            {"start": ms(end - n * timedelta(hours=1)), "sum": 1e6 - n * wh, "state": 1.0}
            for n in range(24 * DAYS, 0, -1)
        ]
        for name, wh in ((DRAWN, 350), (FED, 120), (MADE, 500), (UNKNOWN, 10))
    }
    started = (end - timedelta(days=2 * DAYS)).isoformat()
    return ToyHomeAssistant(
        hours=hours,
        answers={
            "config/auth/list": _USERS,
            "energy/get_prefs": _PREFERENCES,
            "get_config": {"time_zone": "Europe/Paris"},
            "config/entity_registry/list_for_display": {
                "entities": [
                    {"ei": name, "pl": "consometers", "tk": key, "di": "linky"}
                    for name, key in ((DRAWN, "energy_drawn"), (SUBSCRIBED, "subscribed_power"))
                ]
            },
            "get_states": [
                {"entity_id": "sun.sun", "last_changed": started},
                {
                    "entity_id": DRAWN,
                    "last_changed": started,
                    "attributes": {"friendly_name": NAME},
                },
                {
                    "entity_id": SUBSCRIBED,
                    "last_changed": started,
                    "state": "6",
                    "attributes": {"unit_of_measurement": "kVA"},
                },
            ],
            "recorder/list_statistic_ids": [
                {
                    "statistic_id": name,
                    "unit_class": "energy",
                    "has_sum": True,
                    "mean_type": 0,
                    "name": None,
                    "source": "recorder",
                }
                for name in hours
            ],
        },
    )


@dataclass
class ServedHome:
    """A node that runs, and where its page is."""

    node: HomeNode
    store: Store
    toy: ToyHomeAssistant
    url: URL
    session: ClientSession = field(repr=False)
    site: Site = field(repr=False)

    def browser(self, user: str = ADMIN, language: str = "en") -> Browser:
        return Browser(self.session, self.url, user, language)


@asynccontextmanager
async def running(
    store: Store,
    house: ToyHomeAssistant,
    *,
    server: Server | None = None,
    ingress: Collection[str] = ("127.0.0.1",),
) -> AsyncIterator[ServedHome]:
    """Run a node, and serve its page to loopback as if that were Home Assistant's ingress."""

    def connect(who: Identity) -> XmppTransport:
        return XmppTransport(who.account, server=who.server, backoff=QUICK, speak=OurWords)

    async with serving(house), ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        connecting = HomeAssistant(
            HomeAssistantAccess.at(house.url, TOKEN), session, backoff=Backoff(0.05, 0.05, least=1)
        )
        # Hurried like the rest, what happens once a day would take two minutes.
        pace = replace(HouseholdPace().shortened(HASTE), renewal_s=1)
        clock = Clock()
        source = HomeAssistantSource.watched(connecting, store, clock)
        node = HomeNode(store, NAMING, source, connect, clock=clock, pace=pace)
        site = Site(node, Keys("an-id", API_TOKEN, "1.0.0"), server=server, ingress=ingress)
        task: asyncio.Task[object] = asyncio.create_task(node.run())
        try:
            async with site.listening("127.0.0.1", 0) as listens:
                async with asyncio.timeout(DEADLINE_S):
                    await connecting.connected()
                url = URL(f"http://127.0.0.1:{listens}/")
                yield ServedHome(node, store, house, url, session, site)
                assert not task.done(), task
        finally:
            task.cancel()
            await asyncio.wait({task})


async def ask(
    home: ServedHome, need: DataNeed = NEED, jid: str = "coop@example.org"
) -> PermissionId:
    """Ask for something as a collective."""
    async with home.store.writing() as connection:
        peer = await add_peer(connection, jid, "Coop of Kersabiec", now())
        number = await Permissions(connection).propose(peer.id, need, now())
    home.node.look_again()
    return number


async def allow(home: ServedHome, number: PermissionId, *series: str) -> None:
    """Grant some of it as an administrator, on the page."""
    browser = home.browser()
    page = await browser.fill(
        f"permissions/{number}", "preview", *(("series", name) for name in series)
    )
    code = [("code", CODE)] if any(name == "code" for name, _ in page.form("allow").fields) else []
    page = await browser.send(page, "allow", *code)
    assert "Allowed" in page.text, page.text


_PART = re.compile(r"\{(\w+)(?::(?:[^{}]|\{[^{}]*\})*)?\}")


def address_of(pattern: str, number: str) -> str:
    """Return an address of a route, relative."""
    values = {"permission": number, "peer": "1", "series": "1", "letter": number, "file": "1"}
    return _PART.sub(lambda part: values[part[1]], pattern[1:])
