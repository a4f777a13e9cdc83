"""A collective that was set up on the command line, what it asks for, and homes that give that."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from consometers_node.store import Store

from ..collective.people import join, meter, permission

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


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


async def admit_homes(folder: Path, *names: str) -> None:
    """Admit homes that grant what is asked."""
    store = await opened(folder)
    async with store.writing() as connection:
        for name in names:
            await join(connection, name, permission(meter(name), id=name, at=now()), now())
    await store.close()
