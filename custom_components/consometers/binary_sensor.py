"""Binary sensors of a meter, of a node and of its collectives."""

from functools import partial
from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import LinkyEntity, add_as_known
from .kinds import MeterOrNodeConfigEntry, is_node
from .linky.binary_sensors import LinkyBinarySensorDescription, binary_sensors
from .node.entity import (
    CollectiveEntity,
    NodeEntity,
    SurplusEntity,
    add_for_each_collective,
    publishes_hours,
)

PARALLEL_UPDATES = 0

_description = partial(BinarySensorEntityDescription, entity_category=EntityCategory.DIAGNOSTIC)
LINK_LAMP = _description(key="link", device_class=BinarySensorDeviceClass.CONNECTIVITY)
CONNECTED = _description(key="connected", device_class=BinarySensorDeviceClass.CONNECTIVITY)
PROBLEM = _description(key="problem", device_class=BinarySensorDeviceClass.PROBLEM)
SURPLUS_LIKELY = BinarySensorEntityDescription(key="surplus_likely")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: MeterOrNodeConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the permanent entities, and others once the meter or the node has them."""
    if is_node(entry):
        async_add_entities([Connected(entry.runtime_data, CONNECTED)])
        add_for_each_collective(entry, async_add_entities, [PROBLEM], Problem)
        add_for_each_collective(
            entry, async_add_entities, [SURPLUS_LIKELY], SurplusLikely, publishes_hours
        )
        return
    async_add_entities([LinkLamp(entry.runtime_data, LINK_LAMP)])
    add_as_known(hass, entry, async_add_entities, binary_sensors(), LinkyBinarySensor)


class LinkyBinarySensor(LinkyEntity, BinarySensorEntity):
    """A binary fact of the meter."""

    entity_description: LinkyBinarySensorDescription

    @override
    def _read(self) -> None:
        self._attr_is_on = self.entity_description.value_fn(self.coordinator.state)


class LinkLamp(LinkyEntity, BinarySensorEntity):
    """The lamp of the link: the one fact that is known when nothing comes."""

    @property
    @override
    def available(self) -> bool:
        """Always."""
        return True

    @override
    def _read(self) -> None:
        self._attr_is_on = self.coordinator.link_good


class Connected(NodeEntity, BinarySensorEntity):
    """Whether the node is on the network, and if not, why."""

    @property
    @override
    def is_on(self) -> bool:
        return self.coordinator.data.online

    @property
    @override
    def extra_state_attributes(self) -> dict[str, str | None]:
        return self._reason(self.coordinator.data.problem)


class Problem(CollectiveEntity, BinarySensorEntity):
    """Whether something holds records back from a collective, and what."""

    @property
    @override
    def is_on(self) -> bool:
        return self.collective.problem is not None

    @property
    @override
    def extra_state_attributes(self) -> dict[str, str | None]:
        return self._reason(self.collective.problem)


class SurplusLikely(SurplusEntity, BinarySensorEntity):
    """Whether members are likely to inject more than others draw, in this hour."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether they are."""
        now = self.surplus.now(self.collective_id)
        return None if now is None else now.is_surplus
