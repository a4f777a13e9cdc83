"""Invented meters. No real one can have these numbers: none of this type was made in 2012."""

from dataclasses import dataclass

from demo.world.noise import unit

_MAKER, _YEAR = "02", "12"
_SINGLE_PHASE, _THREE_PHASE = "61", "63"
_SERIAL, _POINT = 801, 802


@dataclass(frozen=True, slots=True)
class Identity:
    """The meter's address (ADSC, ADCO) and its delivery point (PRM)."""

    address: str
    delivery_point: str

    @classmethod
    def invented(cls, seed: int, phases: int, nth: int = 0) -> Identity:
        """Return that of the n-th meter put in at one delivery point."""
        kind = _SINGLE_PHASE if phases == 1 else _THREE_PHASE
        serial = int(1_000_000 * unit(seed + _SERIAL, nth))
        point = int(10_000_000_000 * unit(seed + _POINT, 0))
        return cls(f"{_MAKER}{_YEAR}{kind}{serial:06}", f"9900{point:010}")
