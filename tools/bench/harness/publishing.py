"""What closes the hours of a collective that is on no network."""

from pathlib import Path

from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.publication.closing.worker import Publishing
from consometers_node.collective.publication.policy import InForce
from consometers_node.collective.settings_file import read
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.clock import Clock

from .databases import url

SETTINGS = """\
name = "Bench"
identifier = "{name}"
database = "{database}"
[xmpp]
account = "{name}@one.test"
"""


def publishing(store: Store, place: Path | str, name: str, folder: Path) -> Publishing:
    """Return what closes hours of a collective of this name."""
    file = folder / f"{name}.toml"
    file.write_text(SETTINGS.format(name=name, database=url(place)))
    settings = read(file)
    return Publishing(
        store,
        settings,
        InForce(settings.publication),
        Changes(),
        arrivals=Arrivals(),
        clock=Clock(),
        is_online=lambda: True,
    )
