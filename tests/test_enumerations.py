"""A table over an enumeration has all of its members, or says why not: none is forgotten."""

from collections.abc import Iterator, Mapping
from enum import Enum
from importlib import import_module
import pkgutil
from types import ModuleType

import consometers_node
from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.figures import Energies
from consometers_node.series import Direction
import consometers_protected_sums
import consometers_quoalise
import consometers_quoalise_network
import consometers_quoalise_xmpp
import custom_components.consometers

ROOMS = (
    consometers_node,
    consometers_protected_sums,
    consometers_quoalise,
    consometers_quoalise_network,
    consometers_quoalise_xmpp,
    custom_components.consometers,
)
OURS = tuple(room.__name__ for room in ROOMS)
PARTIAL = {
    "cli.core.node_settings._NO_SETTINGS": "a home has no file of settings",
    "cli.core.paths.SETTINGS_FILES": "a home has no file of settings",
    "cli.core.paths._VARIABLES": "a home has no file of settings",
    "cli.household.permissions._DONE": "what a household answers",
    "i18n.protocol.DESCRIPTIONS": "labels suffice for the others",
    "cli.node.init.SETTINGS_FILES": "a home has no file of settings",
    "cli.node.init._SETUPS": "a home has no file of settings",
    "consometers_quoalise.stanza_errors._KINDS": "other codes are sent as their kind",
    "custom_components.consometers.history.file_flow.ONLY": "other problems leave readings",
    "household.statistics_import.recorder_writer._REGISTER": "of what a register counts",
    "store.personal._KEYS": "of what deletes whole rows",
    "web.admin.overview.concerns._PAGES": "all others lead to the page of health",
    "web.household.home.REASONS": "of flags by which a record is missing",
}
"""Tables of some members: why the others are not in."""


def modules() -> Iterator[ModuleType]:
    for room in ROOMS:
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if ".migrations" not in module.name and not module.name.endswith("__main__"):
                yield import_module(module.name)


def lacking(table: object) -> set[Enum]:
    """Return which members of an enumeration of ours a table over it lacks."""
    if not isinstance(table, Mapping) or not table:
        return set()
    kind, *others = {type(key) for key in table}
    is_ours = issubclass(kind, Enum) and kind.__module__.startswith(OURS)
    return {*kind.__members__.values()} - {*table} if is_ours and not others else set()


def test_tables_over_enumerations_are_complete() -> None:
    incomplete = {
        f"{module.__name__}.{name}".removeprefix(f"{consometers_node.__name__}."): missing
        for module in modules()
        for name, table in vars(module).items()
        if (missing := lacking(table))
    }
    assert {name: missing for name, missing in incomplete.items() if name not in PARTIAL} == {}
    assert incomplete.keys() == PARTIAL.keys(), "these are complete"


def test_no_table_repeats_what_a_reason_says() -> None:
    """The words of a reason are in its own row; a list of reasons derives from it."""
    tables = [
        f"{module.__name__}.{name}"
        for module in modules()
        for name, table in vars(module).items()
        if isinstance(table, Mapping) and any(isinstance(key, Reason) for key in table)
    ]
    assert tables == []


def test_each_direction_has_its_energy_in_figures() -> None:
    """`Energies(**{direction: …})` raises on one that it lacks, once such a cell is published."""
    assert {*Direction} <= {*Energies._fields}


def test_a_forgotten_member_is_found() -> None:
    *others, forgotten = Direction
    assert lacking(dict.fromkeys(others, 1)) == {forgotten}
    assert lacking(dict.fromkeys(Direction, 1)) == set()
