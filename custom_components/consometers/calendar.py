"""A calendar of the hours in which a collective is likely to have a surplus."""

from datetime import datetime
from typing import Final, override

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEvent,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .node.coordinator import NodeConfigEntry
from .node.entity import SurplusEntity, add_for_each_collective, publishes_hours
from .node.surplus import Stretch, stretches

PARALLEL_UPDATES = 0

SURPLUS: Final = CalendarEntityDescription(key="surplus")
_SUMMARIES: Final = {"en": "Surplus likely: {name}", "fr": "Surplus probable : {name}"}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NodeConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a calendar for each collective of which injection and consumption are known."""
    add_for_each_collective(entry, async_add_entities, [SURPLUS], SurplusCalendar, publishes_hours)


class SurplusCalendar(SurplusEntity, CalendarEntity):
    """The surplus of today and tomorrow, as events."""

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """The surplus that is now, or the next one."""
        to_come = stretches(self.surplus.to_come(self.collective_id))
        return self._event(to_come[0]) if to_come else None

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return the events within a period, at least in part."""
        return [
            self._event(stretch)
            for stretch in stretches(self.surplus.data.get(self.collective_id, ()))
            if stretch.start < end_date and start_date < stretch.end
        ]

    def _event(self, stretch: Stretch) -> CalendarEvent:
        language = self.hass.config.language.partition("-")[0]
        summary = _SUMMARIES.get(language, _SUMMARIES["en"])
        return CalendarEvent(stretch.start, stretch.end, summary.format(name=self.collective.name))
