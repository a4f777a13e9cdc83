"""A home whose page is served: a real node and its database, a toy Home Assistant."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from aiohttp import ClientSession, CookieJar
from yarl import URL

from consometers_node.household.node import HomeNode, HouseholdPace
from consometers_node.household.recorder.home_assistant import HomeAssistant, HomeAssistantAccess
from consometers_node.i18n.protocol import OurWords
from consometers_node.store import Store
from consometers_node.web.site import Keys, Site
from consometers_quoalise_network import Identity, Server
from consometers_quoalise_network.backoff import Backoff
from consometers_quoalise_xmpp import XmppTransport
from tests.deadline import DEADLINE_S
from tests.node.household.toy import TOKEN, Toy, ms, serving
from tests.node.networks import QUICK
from tests.node.sharing.ledgers import NAMING

from .browser import Browser

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


def toy() -> Toy:
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
    return Toy(
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
class Home:
    """A node that runs, and where its page is."""

    node: HomeNode
    store: Store
    toy: Toy
    url: URL
    session: ClientSession = field(repr=False)
    site: Site = field(repr=False)

    def browser(self, user: str = ADMIN, language: str = "en") -> Browser:
        return Browser(self.session, self.url, user, language)


@asynccontextmanager
async def running(
    store: Store,
    house: Toy,
    *,
    server: Server | None = None,
    ingress: Collection[str] = ("127.0.0.1",),
) -> AsyncIterator[Home]:
    """Run a node, and serve its page to loopback as if that were Home Assistant's ingress."""

    def connect(who: Identity) -> XmppTransport:
        return XmppTransport(who.account, server=who.server, backoff=QUICK, speak=OurWords)

    async with serving(house), ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        source = HomeAssistant(
            HomeAssistantAccess.at(house.url, TOKEN), session, backoff=Backoff(0.05, 0.05, least=1)
        )
        # Hurried like the rest, what happens once a day would take two minutes.
        pace = replace(HouseholdPace().shortened(HASTE), renewal_s=1)
        node = HomeNode(store, NAMING, source, connect, pace=pace)
        site = Site(node, Keys("an-id", API_TOKEN, "1.0.0"), server=server, ingress=ingress)
        task: asyncio.Task[object] = asyncio.create_task(node.run())
        try:
            async with site.listening("127.0.0.1", 0) as listens:
                async with asyncio.timeout(DEADLINE_S):
                    await source.connected()
                url = URL(f"http://127.0.0.1:{listens}/")
                yield Home(node, store, house, url, session, site)
                assert not task.done(), task
        finally:
            task.cancel()
            await asyncio.wait({task})


async def until[T](look: Callable[[], Awaitable[T]], wanted: Callable[[T], object]) -> T:
    """Look again and again until the answer is the wanted one, and return it."""
    answer = await look()
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not wanted(answer):
                await asyncio.sleep(0.05)
                answer = await look()
    except TimeoutError:
        raise AssertionError(answer) from None
    return answer
