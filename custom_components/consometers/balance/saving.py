"""What self-consumption saved: each kWh at the price that ran when it was counted."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import ExtraStoredData, RestoreEntity

from ..entity import DescribedEntity, add_as_known
from .entity import BalanceSensor, device_info, existing
from .tracker import BalanceTracker

type FindPrice = Callable[[HomeAssistant], float | None]
"""Returns the present price of a kWh from the grid."""

SAVED: Final = SensorEntityDescription(
    key="saved",
    translation_key="home_saved",
    device_class=SensorDeviceClass.MONETARY,
    state_class=SensorStateClass.TOTAL,
    suggested_display_precision=2,
)
_WH: Final = 1_000


@dataclass(slots=True)
class Saved(ExtraStoredData):
    """An amount, and the self-consumption up to which it was counted."""

    amount: float = 0.0
    until_wh: float | None = None

    def count(self, self_consumed_wh: float | None, price: float | None) -> None:
        """Count what was consumed since. It waits while no price is known, as after a start."""
        if self_consumed_wh is None or price is None:
            return
        if self.until_wh is not None:
            self.amount += max(0.0, self_consumed_wh - self.until_wh) / _WH * price
        self.until_wh = max(self_consumed_wh, self.until_wh or 0.0)

    @override
    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def restored(cls, stored: Mapping[str, Any]) -> Saved:
        """Return what was stored."""
        return cls(amount=stored["amount"], until_wh=stored["until_wh"])


def add_sensors(
    tracker: BalanceTracker, add: AddConfigEntryEntitiesCallback, *, find_price: FindPrice
) -> None:
    """Add the sensors, and remove those of another connection or other sources.

    What is saved has one once a price is known.
    """
    entry, registry = tracker.config_entry, er.async_get(tracker.hass)
    descriptions = existing(entry)
    entities = [BalanceSensor(tracker, each) for each in descriptions]
    saves = any(each.key == "self_consumed" for each in descriptions)
    unique_ids = {each.unique_id for each in entities}
    if saves:
        unique_ids.add(f"{entry.entry_id}_{SAVED.key}")
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        if entity.unique_id not in unique_ids:
            registry.async_remove(entity.entity_id)
    add(entities)
    if saves:
        add_as_known(
            tracker,
            add,
            [SAVED],
            lambda tracker, _: SavedSensor(tracker, find_price),
            lambda tracker, _: find_price(tracker.hass) is not None,
        )


class SavedSensor(DescribedEntity[BalanceTracker], RestoreEntity, SensorEntity):
    """What the panels saved, by the price of the home's meter."""

    def __init__(self, tracker: BalanceTracker, find_price: FindPrice) -> None:
        """Start with nothing saved."""
        super().__init__(tracker, SAVED, device_info(tracker))
        self._attr_native_unit_of_measurement = tracker.hass.config.currency
        self._find_price = find_price
        self._saved = Saved()

    @override
    async def async_added_to_hass(self) -> None:
        """Go on from where it was."""
        await super().async_added_to_hass()
        if (stored := await self.async_get_last_extra_data()) is not None:
            self._saved = Saved.restored(stored.as_dict())
        self._count()

    def _count(self) -> None:
        price = self._find_price(self.hass)
        self._saved.count(self.coordinator.data.sums.self_consumed_wh, price)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._count()
        super()._handle_coordinator_update()

    @property
    @override
    def extra_restore_state_data(self) -> Saved:
        """The amount, unrounded."""
        return self._saved

    @property
    @override
    def native_value(self) -> float:
        """The amount."""
        return round(self._saved.amount, 4)
