"""The federation around the school: homes, a cooperative that sums them, a municipality.

Three XMPP servers federate: the school's, the cooperative's, on which homes have their accounts,
and the municipality's. The school and Kermelo are sites: they join the cooperative from elsewhere.
Some homes are in protected sums alone, by codes of their witness, the municipality.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import cycle, islice
from pathlib import Path
import tomllib
from typing import Any, Final
from urllib.parse import urlsplit

from demo.hass import free_port
from demo.processes.warm import Warm
from demo.school import observer
from demo.school.node import DOMAIN, NODE, SERVER, Node
from demo.servers.https import Https
from demo.servers.program import PASSWORD, NodeError, closed, reach, until, write_private
from demo.servers.prosody import LOOPBACK, Authority, Prosody, federate
from demo.street.plan import COMMUNE, Home, Place, Plan

from .collective import Collective, Profile
from .neighbours import Neighbours, Progress

COOPERATIVE: Final = "cooperative.test"
MUNICIPALITY: Final = "municipality.test"
READER: Final = f"reader@{MUNICIPALITY}"
KERMELO: Final = f"kermelo@{MUNICIPALITY}"

_NEEDS: Final = Path(__file__).with_name("needs")
_BY_NAME: Final = "by-name"
PROTECTED: Final = "protected"
"""Read in sums alone, which the municipality opens as the witness: its address is still to come."""
_SUMS: Final = _NEEDS / "sums.toml"
"""The reader's data need."""
_TERRITORY: Final = _NEEDS / "territory.toml"
"""The municipality's. It asks for a year: a cooperative answers so many requests in a minute."""
_YEAR_DAYS: Final = 365
_SUM: Final = "urn:dev:org:60060-lorient_consumption/power/active/raw"
"""The municipality's consumption."""
_COOPERATIVE_ABOUT: Final = {
    "sentence_fr": "Une association imaginaire de Kersabiec, près de Lorient : des foyers et une"
    " école qui suivent leur électricité ensemble.",
    "sentence_en": "An imaginary association of Kersabiec, near Lorient: homes and a school that"
    " follow their electricity together.",
    "join_fr": "La permanence est ouverte le samedi matin, à l’école de Kersabiec.",
    "join_en": "Come and see us on Saturday mornings, at the school of Kersabiec.",
    "mail": f"contact@{COOPERATIVE}",
    "phone": "+33 2 61 91 00 01",
    "address": "Place de Kersabiec, 56100 Lorient",
    "legal_name": "Énergies de Kersabiec",
    "legal_form": "association loi de 1901",
    "registration": "RNA W000000000",
    "publisher": "la présidence de l’association",
    "host_name": "Énergies de Kersabiec",
    "host_address": "Place de Kersabiec, 56100 Lorient",
    "host_phone": "+33 2 61 91 00 01",
    "co2_grams": "40",
    "co2_source_fr": "valeur d’exemple",
    "co2_source_en": "example value",
    "co2_year": "2025",
    "local_price": "14",
    "grid_price": "20.5",
    "price_source_fr": "valeurs d’exemple",
    "price_source_en": "example values",
}
_MUNICIPALITY_ABOUT: Final = {
    "sentence_fr": "Le territoire de Lorient, dans une démonstration : ce que ses coopératives"
    " d’énergie produisent et consomment ensemble.",
    "sentence_en": "The area of Lorient, in a demonstration: what its energy cooperatives produce"
    " and use together.",
    "mail": f"energie@{MUNICIPALITY}",
    "phone": "+33 2 61 91 00 02",
    "address": "Place de la Mairie, 56100 Lorient",
    "legal_name": "Commune de la démonstration",
    "legal_form": "collectivité territoriale",
    "publisher": "le service communication",
    "host_name": "Commune de la démonstration",
    "host_address": "Place de la Mairie, 56100 Lorient",
    "host_phone": "+33 2 61 91 00 02",
}
"""Nobody has these telephone numbers: they are set apart for fiction."""
_DIRECTIONS: Final = {"consumption", "injection", "production"}
"""Of the municipality: it has enough homes, and homes with panels, to be shown by itself."""
_AREAS: Final = (*(COMMUNE, "Lanester", COMMUNE) * 5, "Ploemeur", "Ploemeur", COMMUNE)
_PEAKS_KWP: Final = (3.0, 0.0, 4.5, 6.0, 0.0)
"""Of the panels of homes in the commune, one after the other. Elsewhere too few have some."""
SHARES: Final = {"École de Kermelo": 180, "École de Kersabiec": 720}
"""How many shares citizens bought of the panels of each school."""
HELD_AT_SCHOOL: Final = {"École de Kermelo": 9}
"""Those that the school of Kersabiec holds, whose Home Assistant is open."""
MASKED: Final = 12
"""Further homes of the commune, of which nobody reads records: enough for a protected sum.

The last of them forgets its key: its reports are invalid, and in no sum.
"""
_HOLDERS: Final = 12
"""Homes that hold shares of the school of Kersabiec's panels, enough to be counted in public."""
_FIRST_SEED: Final = 100
_SHOWN_WITHIN_S: Final = 1_800  # two years of hours, also on a busy machine
_LOOKS_EVERY_S: Final = 1.0
_NEARLY_ALL: Final = 0.98
_MARGIN_DAYS: Final = 2
"""The first days of the past are not whole."""
_LATEST: Final = timedelta(hours=3)
FOLDERS: Final = ("cooperative", "municipality", "street", "reader")
"""Where all of it is, in the folder of the demo."""


type _Listed = Mapping[str, str | None]
"""A series that may be read, with its first and its last record."""
_LETTER: Final = {
    "fr": "Le bilan du mois est en ligne.\n\nIl ouvrira la prochaine réunion, samedi à l’école.",
    "en": "This month’s report is online.\n\nIt opens our next meeting, on Saturday at the school.",
}
"""From the cooperative to the school: its Home Assistant shows it."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many homes there are, and how many days of their past."""

    homes: int
    days: int
    areas: tuple[str, ...] = _AREAS
    """Their communes, one after the other."""


FULL: Final = Size(40, 730)
"""Two years, so that each day has one a year before."""
SMALL: Final = Size(12, 33, (COMMUNE,))
"""The month before this one has a day of which all was sent, also on the 31st."""


class Federation:
    """The whole federation in one folder."""

    def __init__(
        self,
        folder: Path,
        size: Size,
        hear: Callable[[Progress], None],
        warm: Warm,
        *,
        port: int | None = None,
    ) -> None:
        """Prepare; nothing starts yet. The port is that of the school's server.

        A street that is inhabited keeps its size.
        """
        self._folder = folder
        self._authority = authority = Authority(folder / SERVER)
        self.school_server = Prosody(DOMAIN, authority, folder / SERVER, port=port)
        self._protected = folder / "cooperative" / f"{PROTECTED}.toml"
        servers = [self.school_server]
        for name, domain in (("cooperative", COOPERATIVE), ("municipality", MUNICIPALITY)):
            servers.append(Prosody(domain, authority, folder / name / SERVER))
        federate(*servers)
        self.cooperative = Collective(
            Profile(
                name="Énergies de Kersabiec",
                identifier="kersabiec",
                account=f"cooperative@{COOPERATIVE}",
                needs=(_NEEDS / "members.toml", _NEEDS / f"{_BY_NAME}.toml", self._protected),
                about=_COOPERATIVE_ABOUT,
            ),
            folder / "cooperative",
            servers[1],
            warm,
        )
        self.municipality = Collective(
            Profile(
                name="Lorient (démonstration)",
                identifier="lorient",
                account=f"municipality@{MUNICIPALITY}",
                needs=(_TERRITORY,),
                about=_MUNICIPALITY_ABOUT,
                witness_for=(f"cooperative@{COOPERATIVE}",),
            ),
            folder / "municipality",
            servers[2],
            warm,
        )
        self.witness = Https(self._witness_port() or free_port(), self.municipality.page_port)
        self.neighbours = Neighbours(folder / "street", hear)
        self._known = self.neighbours.plan
        self.size = size
        if self._known is not None:
            read = sum(not home.masked for home in self._known.homes)
            self.size = Size(read - 1, self._known.history_days)
        self.password_file = folder / "reader" / "password"

    async def start(self) -> None:
        """Start the collectives and the homes, without the school."""
        self.password_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.password_file, PASSWORD)
        self._write_need()
        everybody = self.size.homes + MASKED
        homes = [f"home-{n + 1:02}@{COOPERATIVE}" for n in range(everybody)]
        await self.witness.start(self._authority)
        async with asyncio.TaskGroup() as starting:
            witness = starting.create_task(self.municipality.start([KERMELO, READER]))
            await self.cooperative.start(homes)
            await witness
            plan = await self._plan(homes)
            await self.neighbours.start(plan)

    async def gather(self, node: Node) -> None:
        """Invite all future members, once they have started; homes grant their requests.

        The school grants it when its node is opened. The municipality knows its cooperative.
        """
        plan = self.neighbours.plan
        assert plan is not None
        async with asyncio.TaskGroup() as meeting:
            meeting.create_task(self.neighbours.allow(plan))
            meeting.create_task(self._join_municipality())
            for collective in (self.cooperative, self.municipality):
                meeting.create_task(self._let_the_reader_ask(collective))
            await self.neighbours.until(lambda progress: progress.know)
            if not await self._knows_the_school():
                await node.meet(await self.cooperative.invite("site", COMMUNE), self.size.days)
            self.neighbours.let_grant()

    async def open(
        self, first_page: Callable[[], None], published: Callable[[Collective, date], None]
    ) -> None:
        """Publish the past of all, once the school has granted too.

        `first_page` is called when the sums of the last weeks are published for the first time, at
        the cooperative; `published` with each first day of the sums, as earlier ones follow. On
        return all sums are there, of both collectives, and a reader may read them.
        """
        await self._until(self._knows_the_school)
        await self.neighbours.until(lambda progress: progress.have_joined)
        await self._name_sites()
        await self.cooperative.publish()
        if self._known is None:
            await self._readable(self.cooperative, _is_recent)
            first_page()
        self.neighbours.let_count()
        if self._known is None:
            # Looking takes a processor that they need.
            await self.neighbours.until(lambda progress: progress.collected > _NEARLY_ALL)
            await self._follow(self.cooperative, self.size.days, published)
        self.cooperative.series = await self._readable(self.cooperative, self._is_whole)
        await self.cooperative.compete()
        # The municipality requests a past that is there: else it would come day by day.
        commune = f"{self.cooperative.profile.device}-{COMMUNE.lower()}"
        await self._grant(self.cooperative, self.municipality.profile.account, commune)
        await self.municipality.publish()
        # The cooperative has nothing else to do while the municipality reads its sums.
        await self.cooperative.back_up()
        await self.cooperative.write_to(NODE, _LETTER)
        if self._known is None:
            await self._follow(self.municipality, min(self.size.days, _YEAR_DAYS), published)
        self.municipality.series = await self._readable(
            self.municipality, partial(self._is_whole, days=_YEAR_DAYS)
        )
        for collective in (self.cooperative, self.municipality):
            await collective.find_sites()

    @property
    def command(self) -> str:
        """The command that reads the municipality's sum, as typed in the checkout."""
        return observer.command(self.municipality.profile.account, _SUM, READER, *self._place)

    async def live(self) -> None:
        """Wait until one of them ends.

        Raises:
            NodeError: it has ended by itself.
        """
        async with asyncio.TaskGroup() as living:
            for part in (self.cooperative.program, self.municipality.program, self.neighbours):
                living.create_task(part.live())

    async def close(self) -> None:
        """End all of it, leaving no process."""
        await closed(self.neighbours, self.cooperative, self.municipality, self.witness)

    async def _plan(self, homes: list[str]) -> Plan:
        """Write the plan of the street, at first with invitations."""
        places = {
            domain: Place(
                host=LOOPBACK, port=collective.server.port, ca_file=str(collective.server.ca_file)
            )
            for domain, collective in (
                (COOPERATIVE, self.cooperative),
                (MUNICIPALITY, self.municipality),
            )
        }
        if self._known is not None:
            invited = list(self._known.homes)
        else:
            areas = list(islice(cycle(self.size.areas), self.size.homes)) + MASKED * [COMMUNE]
            async with asyncio.TaskGroup() as inviting:
                made = {
                    area: inviting.create_task(self.cooperative.invite("home", area, count))
                    for area, count in Counter(areas).items()
                }
            links = {area: link.result() for area, link in made.items()}
            codes = await self.municipality.codes(self.cooperative.profile.account, MASKED)
            code_of = [None] * self.size.homes + codes
            peaks = cycle(_PEAKS_KWP)
            invited = [
                Home(
                    jid=jid,
                    site="household",
                    kwp=next(peaks) if area == COMMUNE and n < self.size.homes else 0.0,
                    seed=_FIRST_SEED + n,
                    invitation=links[area],
                    area=area,
                    code=code_of[n],
                    forgets_its_key=n == len(homes) - 1,
                )
                for n, (jid, area) in enumerate(zip(homes, areas, strict=True))
            ]
            invited.append(
                Home(
                    jid=KERMELO,
                    site="school",
                    kwp=9.0,
                    seed=_FIRST_SEED - 1,
                    invitation=await self.cooperative.invite("site", COMMUNE),
                    kva=36,
                    recording="kermelo.csv",
                )
            )
        return Plan(
            folder=str(self.neighbours.folder / "homes"),
            password=PASSWORD,
            history_days=self.size.days,
            places=places,
            homes=invited,
        )

    def _witness_port(self) -> int | None:
        """Return the port that homes know; None before the first opening."""
        if not self._protected.exists():
            return None
        need = tomllib.loads(self._protected.read_text())
        return urlsplit(str(need["witness"]["url"])).port

    def _write_need(self) -> None:
        """Write the homes' data needs, with the address of the witness: it stays the same."""
        if not self._protected.exists():
            self._protected.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            need = (_NEEDS / f"{PROTECTED}.toml").read_text()
            self._protected.write_text(need.replace("{url}", self.witness.url))

    async def _name_sites(self) -> None:
        """Show both schools by name, before anything is published: their nodes have granted it."""
        electric = ("--heating", "electric", "--hot-water", "electric")
        recorded = (
            *("--words-fr", "Une année enregistrée, rejouée."),
            *("--words-en", "A year that was recorded, replayed."),
        )
        kermelo = ("--surface", "900", "--peak", "9", *recorded)
        kersabiec = ("--surface", "1200", "--peak", "36")
        members = await self.cooperative.members()
        is_new = False
        for jid, name, described in (
            (KERMELO, "École de Kermelo", kermelo),
            (NODE, "École de Kersabiec", kersabiec),
        ):
            if members[jid]["name"] != name:
                shown = ("--name", name, "--building", "school", *electric, *described, "--yes")
                shares = ("--shares", str(SHARES[name]))
                await self.cooperative.program.do("members", "site", jid, *shown, *shares)
                is_new = True
        if is_new:
            await self._hand_out_shares()

    async def _hand_out_shares(self) -> None:
        """Store who holds shares of the schools' panels, as an administrator does."""
        held = [(NODE, plant, shares) for plant, shares in HELD_AT_SCHOOL.items()]
        homes = [f"home-{n:02}@{COOPERATIVE}" for n in range(1, _HOLDERS + 1)]
        held += [(jid, "École de Kersabiec", n) for n, jid in enumerate(homes, 2)]
        for holder, plant, shares in held:
            await self.cooperative.program.do("members", "shares", holder, plant, str(shares))

    async def _knows_the_school(self) -> bool:
        school = (await self.cooperative.members()).get(NODE)
        return school is not None and _BY_NAME in {
            permission["need"] for permission in school["permissions"]
        }

    async def _join_municipality(self) -> None:
        """Make the cooperative a member of the municipality, and grant what it has published."""
        program, profile = self.cooperative.program, self.cooperative.profile
        municipality = self.municipality.profile.account
        if municipality not in {
            permission["peer"] for permission in await program.json("permissions")
        }:
            await program.do("join", await self.municipality.invite("collective", COMMUNE))
        # Its pages are at another port each time.
        naming = ("members", "name", profile.account, profile.name)
        await self.municipality.program.do(*naming, "--website", f"{self.cooperative.page}/")

    async def _let_the_reader_ask(self, collective: Collective) -> None:
        program = collective.program
        if READER not in {permission["peer"] for permission in await program.json("permissions")}:
            await program.do("peer", "add", READER, "--need", str(_SUMS))

    async def _readable(
        self, collective: Collective, is_there: Callable[[_Listed], bool]
    ) -> tuple[Mapping[str, Any], ...]:
        """Wait until so much of all members is summed and readable; grant what may be read."""

        async def is_read() -> bool:
            read = await self._read(collective)
            return bool(read) and all(map(is_there, read))

        await self._until(partial(self._grant, collective, READER, collective.profile.device))
        await self._until(is_read)
        return tuple(await self._read(collective))

    async def _follow(
        self, collective: Collective, days: int, published: Callable[[Collective, date], None]
    ) -> None:
        """Wait until a collective's open data go so many days back.

        They go back month by month: `published` is called with the first day of those that are
        whole, for an earlier one has begun.
        """
        begin = datetime.now(UTC).date() - timedelta(days - _MARGIN_DAYS)
        before: date | None = None

        async def is_there() -> bool:
            nonlocal before
            since = await collective.published_since()
            if before is not None and since is not None and since < before:
                published(collective, before)
            before = since
            return since is not None and since <= begin

        await self._until(is_there)

    def _is_whole(self, listed: _Listed, days: int | None = None) -> bool:
        """Whether a series of sums has all days, or the last of them, up to the last hours."""
        first = listed["first"]
        since = timedelta(min(self.size.days, days or self.size.days) - _MARGIN_DAYS)
        return (
            _is_recent(listed)
            and first is not None
            and datetime.now(UTC) - datetime.fromisoformat(first) > since
        )

    async def _grant(self, collective: Collective, whom: str, device: str) -> bool:
        """Grant a peer's request for the hourly sums of a group; return whether it is granted."""
        program = collective.program
        for permission in await program.json("permissions"):
            if permission["peer"] != whom:
                continue
            if permission["state"] == "granted":
                return True
            offered = (await program.json("grant", permission["permission"]))["offered"]
            directions = {
                sum_of["direction"]
                for sum_of in offered
                if sum_of["statistic"] == device and sum_of["interval"] == "PT1H"
            }
            if directions == _DIRECTIONS:
                series = (word for way in directions for word in ("--series", f"{device}={way}"))
                await program.do("grant", permission["permission"], *series, "--yes")
                return True
        return False

    async def _read(self, collective: Collective) -> list[_Listed]:
        """List, as the reader, a collective's readable series."""
        server = self.municipality.server
        return await observer.readable(collective.profile.account, READER, server)

    @property
    def _place(self) -> tuple[str, ...]:
        server = self.municipality.server
        return reach(server.port, server.ca_file, self.password_file)

    async def _until(self, happens: Callable[[], Awaitable[Any]]) -> None:
        error = NodeError(f"The collectives do not get on: {self._folder} has their logs.")
        await until(happens, error, within_s=_SHOWN_WITHIN_S, every_s=_LOOKS_EVERY_S)


def _is_recent(listed: _Listed) -> bool:
    """Whether a series goes up to the last hours."""
    last = listed["last"]
    return last is not None and datetime.now(UTC) - datetime.fromisoformat(last) < _LATEST
