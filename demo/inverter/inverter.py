"""The inverter as data: the registers that it shows at a given second."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from consometers_tic_virtual.load import Load
from consometers_tic_virtual.world import ORIGIN
from consometers_tic_virtual.world.noise import unit

from .chain import ENERGIES, Block, blocks
from .faults import Faults, Limit, Scales, State
from .image import BASE, Image
from .measures import Measures, Readings
from .profiles import PROFILES, Profile
from .sunspec import MODELS, Model, Value, Values

_SERIAL, _SCALE = 911, 912
_GARBAGE: Final = 0x1234
_ENERGY_SCALES: Final = frozenset(
    point.scale
    for model in MODELS.values()
    for point in (*model.points, *model.module)
    if point.name in ENERGIES
)


class Inverter:
    """One inverter. What happens to it happens at a given second; `faults` may be set.

    Given a Linky's `load`, it is on that meter's roof and agrees with it.
    """

    def __init__(
        self,
        profile: Profile = PROFILES["home"],
        *,
        load: Load | None = None,
        seed: int = 1,
        origin: datetime = ORIGIN,
        base: int = BASE,
    ) -> None:
        """Put it in at the world's origin, with its map at the address `base`."""
        self.profile = profile
        self.load = load or Load(profile.world(seed=seed, origin=origin))
        if self.load.world.phases != profile.phases:
            raise ValueError("the load and the profile have different numbers of phases")
        self.serial = f"KS{int(1_000_000 * unit(seed + _SERIAL, 0)):06}"
        self.measures = Measures(profile, self.load, seed)
        self.faults = Faults()
        self._seed = seed
        self._base = base

    def readings(self, second: int) -> Readings:
        """Return its measures, before any fault."""
        return self.measures.at(second)

    def asleep(self, second: int) -> bool:
        return self.measures.state(second) is State.SLEEPING

    def image(self, second: int) -> Image:
        """Return its registers, with their faults."""
        image = Image.of_models(self._models(second), self._base)
        return image if self.faults.cut is None else image.cut(self.faults.cut)

    def limit(self, second: int, part: float, state: State) -> None:
        """Curtail the production from now on."""
        self.free(second)
        self.measures.limits.append(Limit(second, part, state))

    def free(self, second: int) -> None:
        """End the curtailment."""
        limits = self.measures.limits
        if limits and limits[-1].end is None:
            limits[-1].end = second

    def jump(self, second: int, energy_wh: int) -> None:
        """Add energy to the register that was never produced."""
        self.measures.jumps.append((second, energy_wh))

    def restart(self, second: int) -> None:
        """Count energy from zero on."""
        self.jump(second, -self.measures.energy_wh(second))

    def _models(self, second: int) -> Iterator[list[int]]:
        readings = self.readings(second)
        for block in blocks(self.profile, self.serial, readings):
            if block.model_id not in self.faults.without:
                yield self._registers(MODELS[block.model_id], block, readings)

    def _registers(self, model: Model, block: Block, readings: Readings) -> list[int]:
        changed: dict[str, float | None] = dict.fromkeys(self.faults.missing)
        if self._shows_zeros(readings):
            changed |= dict.fromkeys(ENERGIES - changed.keys(), 0)
        scales = self._scales(model, block, readings.second)
        return model.encode(
            _replaced(block.values, {**changed, **scales}),
            [_replaced(module, changed) for module in block.modules],
            scales=block.values if self.faults.scales is Scales.GARBAGE else None,
        )

    def _shows_zeros(self, readings: Readings) -> bool:
        awake = readings.awake_since
        dawn = awake is not None and readings.second - awake < self.faults.zeros_at_dawn_s
        return dawn or readings.second < self.faults.zeros_until

    def _scales(self, model: Model, block: Block, second: int) -> Mapping[str, int]:
        scales = model.names(lambda point: point.kind == "sunssf") & block.values.keys()
        if self.faults.scales is Scales.GARBAGE:
            return dict.fromkeys(scales, _GARBAGE)
        if self.faults.scales is Scales.CHANGING and unit(self._seed + _SCALE, second) < 0.5:
            return {name: _changed(name, block.values[name]) for name in scales}
        return {}


def _changed(name: str, exponent: Value) -> int:
    """Energy is finer then, all else coarser: so it fits, and energy is exact."""
    assert isinstance(exponent, int)
    return exponent - 1 if name in _ENERGY_SCALES else exponent + 1


def _replaced(values: Values, changed: Values) -> Values:
    return {name: changed.get(name, value) for name, value in values.items()}
