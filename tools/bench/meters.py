"""The meters whose frames the benchmarks read, as the virtual Linky sends them."""

from custom_components.consometers.tic import Group, Mode
from demo.meter import Contract, Linky, Option
from demo.world import World

START = 1_790_000_000
SECONDS_PER_FRAME = {Mode.HISTORIQUE: 2, Mode.STANDARD: 1}

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


def frames(name: str, count: int) -> list[tuple[Group, ...]]:
    """Give frames that follow each other, from a meter's name."""
    mode, contract = METERS[name]
    linky = Linky(World(phases=contract.phases, kwp=3), contract, mode=mode)
    step = SECONDS_PER_FRAME[mode]
    return [linky.frame(START + step * n) for n in range(count)]
