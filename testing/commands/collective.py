"""A collective that was set up on the command line, what it asks for, and homes that give that."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.members.members import Members
from consometers_node.collective.publication.closing.closer import Closer, WaitRule
from consometers_node.store import Store
from consometers_node.store.engine.connection import AsyncConnection
from testing.collectives.members import ZONE, join, meter, permission

INIT = (
    *("init", "--name", "Énergies de Kersabiec", "--identifier", "kersabiec"),
    *("--account", "collectif@kersabiec.example"),
)
_NEED = """\
id = "{id}"
version = {version}
controller = "Coopérative d’exemple"
contact = "donnees@example.org"
policy = "https://example.org/donnees"
interval = "{interval}"
history = "{history}"
duration = "P2Y"
retention = "P6M"
identification = "{identification}"
series = [{series}]
[title]
fr = "Le prochain toit"
en = "The next roof"
[purpose]
fr = "{purpose}"
"""


def need_toml(
    id: str = "roof",
    *,
    version: int = 1,
    purpose: str = "Dimensionner le toit.",
    interval: str = "PT1H",
    history: str = "P1Y",
    identification: str = "pseudonym",
    directions: Iterable[str] = ("consumption",),
    quantity: str = "power",
) -> str:
    """Return what a collective asks for, as it stands in a file."""
    series = ", ".join(
        f'{{ direction = "{name}", quantity = "{quantity}" }}' for name in directions
    )
    return _NEED.format(
        id=id,
        version=version,
        purpose=purpose,
        interval=interval,
        history=history,
        identification=identification,
        series=series,
    )


async def opened(folder: Path) -> Store:
    return await Store.open(folder / "node.db")


@asynccontextmanager
async def writing(folder: Path) -> AsyncIterator[AsyncConnection]:
    """Open a database for one transaction."""
    store = await opened(folder)
    async with store.writing() as connection:
        yield connection
    await store.close()


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


async def close_due(store: Store, publication: Publication, opened_at: datetime) -> bool:
    """Close some of what is due, as a node does. Return whether anything was."""
    at = now()
    waiting = WaitRule(online_since=at, opened_at=opened_at, arrivals=Arrivals())
    async with store.writing() as connection:
        members = Members(connection, ZONE)
        return await Closer(members, "kersabiec", publication, waiting, at).close()


async def admit_homes(folder: Path, *names: str) -> None:
    """Admit homes that grant what is asked."""
    async with writing(folder) as connection:
        for name in names:
            await join(connection, name, permission(meter(name), id=name, at=now()), now())
