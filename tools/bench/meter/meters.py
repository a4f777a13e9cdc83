"""The meters whose frames the benchmarks read: the virtual Linky, in a home that never rests."""

from dataclasses import replace
from functools import cache
from random import Random

from consometers_tic import Group, Kind, Mode
from consometers_tic_virtual import Contract, Linky, Option
from consometers_tic_virtual.world import World

START = 1_790_000_000
SECONDS_PER_FRAME = {Mode.HISTORIQUE: 2, Mode.STANDARD: 1}

_COUNTING = ("HCHP", "BBRHPJB", "EAST", "EASF01", "EASD01")

METERS = {
    "historique, single-phase, off-peak": (Mode.HISTORIQUE, Contract(option=Option.HC)),
    "historique, single-phase, Tempo": (Mode.HISTORIQUE, Contract(option=Option.TEMPO)),
    "standard, single-phase": (Mode.STANDARD, Contract()),
    "standard, single-phase, producer": (Mode.STANDARD, Contract(producer=True)),
    "standard, three-phase, producer": (
        Mode.STANDARD,
        Contract(producer=True, phases=3, reference_kva=18),
    ),
}


type Key = tuple[str, str, str | None]


def key_of(group: Group) -> Key:
    """Return what a group says: its label, its data and its horodate."""
    return group.label.name, group.raw, group.raw_horodate


def frames(name: str, count: int) -> list[tuple[Group, ...]]:
    """Return frames that follow each other, from a meter's name."""
    linky, random = _linky(name), Random(1)
    step = SECONDS_PER_FRAME[linky.mode]
    return [
        tuple(_unsettled(group, n, random) for group in linky.frame(START + step * n))
        for n in range(count)
    ]


@cache
def _linky(name: str) -> Linky:
    mode, contract = METERS[name]
    kwp = 3 if contract.producer else 0
    return Linky(World(phases=contract.phases, kwp=kwp), contract, mode=mode)


def _unsettled(group: Group, nth: int, random: Random) -> Group:
    """Alter what is measured or counted in the n-th frame, so that it differs from the others."""
    label, value = group.label, group.value
    if not isinstance(value, int) or not value:
        return group
    if label.kind is Kind.MEASURE:
        value += random.randint(-2, 2) * (10 if label.name == "PAPP" else 1)
    elif label.name in _COUNTING:
        value += nth
    value = max(0, value)
    return replace(group, raw=f"{value:0{label.length}}", value=value)
