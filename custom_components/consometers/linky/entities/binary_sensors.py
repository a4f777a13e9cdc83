"""The binary sensors of a meter. `entity.py` makes entities of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory

from ...tic import Status
from ..pacing import Pace
from ..state import LinkyState


@dataclass(frozen=True, kw_only=True)
class LinkyBinarySensorDescription(BinarySensorEntityDescription):
    """Describes a binary sensor. It exists from when on its value is first known."""

    value_fn: Callable[[LinkyState], bool | None]
    exists_fn: Callable[[LinkyState], bool] | None = None
    pace: Pace = Pace.CHANGE

    def exists(self, state: LinkyState) -> bool:
        """Return whether the meter has such a fact."""
        return self.exists_fn(state) if self.exists_fn else self.value_fn(state) is not None


_binary = partial(LinkyBinarySensorDescription)
_problem = partial(LinkyBinarySensorDescription, device_class=BinarySensorDeviceClass.PROBLEM)


def binary_sensors() -> Iterator[LinkyBinarySensorDescription]:
    """Yield the binary sensors that a meter can have, whatever its mode and its phases."""
    yield _problem(key="overrun", value_fn=lambda state: state.overrun)
    yield _problem(
        key="cut_off_expected",
        pace=Pace.POWER,
        value_fn=lambda state: state.cut_off_expected,
    )
    yield _problem(key="overvoltage", value_fn=_status(lambda status: status.overvoltage))
    yield _problem(key="phase_missing", value_fn=_a_phase_is_missing)
    # A meter without an injection contract reports only this of what is injected.
    yield _binary(key="injecting", value_fn=_status(lambda status: status.injecting))
    peak = partial(_binary, exists_fn=lambda state: state.has_peaks)
    yield peak(key="peak_notice", value_fn=lambda state: state.tariff.peak_notice)
    yield peak(key="peak_now", value_fn=lambda state: state.tariff.peak_now)
    yield _binary(key="contact", value_fn=_status(lambda status: not status.contact_open))
    for n in range(2, 9):
        yield _binary(
            key=f"relay_{n}",
            translation_key="relay",
            translation_placeholders={"relay": str(n)},
            entity_registry_enabled_default=False,
            value_fn=partial(_relay, n),
        )
    yield _binary(
        key="cover",
        device_class=BinarySensorDeviceClass.OPENING,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_status(lambda status: status.cover_open),
    )
    yield _problem(
        key="clock_degraded",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_status(lambda status: status.clock_degraded),
    )
    yield _binary(
        key="power_line_synchronised",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_status(lambda status: status.power_line_synchronised),
    )


def _status(fact: Callable[[Status], bool]) -> Callable[[LinkyState], bool | None]:
    return lambda state: None if state.status is None else fact(state.status)


def _a_phase_is_missing(state: LinkyState) -> bool | None:
    value = state.value("PPOT")
    return bool(value) if isinstance(value, frozenset) else None


def _relay(number: int, state: LinkyState) -> bool | None:
    value = state.value("RELAIS")
    return number in value if isinstance(value, frozenset) else None
