"""The rooms in which a wrong line harms somebody, and the tests that are to notice one."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Room:
    """Files whose functions are changed, and what pytest is given to run."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]


_NODE: Final = "addon/consometers_node"
_SUMS: Final = "addon/consometers_protected_sums"
_TIC: Final = "packages/tic/src/consometers_tic"

ROOMS: Final = {
    "protected_sums": Room(
        (
            *(
                f"{_SUMS}/{name}.py"
                for name in ("codes", "field", "flp", "heads", "keys", "opening", "reports", "xof")
            ),
            f"{_NODE}/wire/witness_requests.py",
        ),
        ("packages/protected_sums/tests", "tests/node/protected_sums"),
    ),
    # The rules, without a database.
    "permission": Room(
        tuple(f"{_NODE}/permission/{name}.py" for name in ("errors", "need", "terms")),
        ("tests/node/permission/test_rules.py",),
    ),
    "register": Room(
        tuple(f"{_NODE}/permission/{name}.py" for name in ("needs", "register")),
        ("tests/node/permission",),
    ),
    # What decides whether a reading is believed: the checks of groups, of frames, of what follows
    # what. The catalogue is a table; what a field means (tariff, values) is no check.
    "tic": Room(
        tuple(f"{_TIC}/{name}.py" for name in ("decoder", "group", "meter")),
        # The other files try many thousand inputs of what these try one by one.
        tuple(f"packages/tic/tests/tic/test_{name}.py" for name in ("decoder", "meter", "traps")),
    ),
    # What bounds and refuses foreign bytes; what identifiers, times and SenML mean is no bound.
    "parsing": Room(
        (
            *(
                f"addon/consometers_quoalise/{name}.py"
                for name in ("bounds", "elements/markup", "elements/reading")
            ),
            "addon/consometers_quoalise_xmpp/parsing.py",
        ),
        ("packages/quoalise/tests", "tests/node/quoalise"),
    ),
    "disclosure": Room(
        # The reasons are a table.
        (
            *(
                f"{_NODE}/collective/disclosure/{name}.py"
                for name in ("closing", "confidential", "sdc_rules")
            ),
            f"{_SUMS}/keyed_draw.py",
            f"{_SUMS}/pooling.py",
        ),
        (
            "tests/node/collective/disclosure/test_closing.py",
            "tests/node/collective/disclosure/test_sdc_rules.py",
        ),
    ),
    "figures": Room(
        (f"{_NODE}/figures.py", f"{_NODE}/collective/publication/reading/values.py"),
        ("tests/node/collective/publication/test_values.py",),
    ),
}
