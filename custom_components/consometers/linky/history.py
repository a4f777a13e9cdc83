"""The registers of a meter whose history another integration may have."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN
from ..history.candidates import Target
from .entities.sensors import LinkySensorDescription, energies
from .state import LinkyState


async def async_targets(
    hass: HomeAssistant, state: LinkyState, *, of_production: bool
) -> list[Target]:
    """Return the energies that a meter counts, named as their entities."""
    texts = await async_get_translations(hass, hass.config.language, "entity", [DOMAIN])
    return [
        Target(
            key=each.key,
            name=_name(each, texts, of_production=of_production),
            labels=_labels(each),
            level_wh=level if isinstance(level := each.value_fn(state), int | float) else None,
        )
        for each in energies(state)
    ]


def _name(
    description: LinkySensorDescription, texts: dict[str, str], *, of_production: bool
) -> str:
    key = description.translation_key or description.key
    if of_production and description.on_production is not None:
        key = description.on_production
    text = texts.get(f"component.{DOMAIN}.entity.sensor.{key}.name", description.key)
    return text.format(**(description.translation_placeholders or {}))


def _labels(description: LinkySensorDescription) -> frozenset[str]:
    """Return the label of an index. The totals have many, which the history knows itself."""
    if description.register is not None:
        return frozenset({description.register})
    label = description.key.removeprefix("energy_")
    return frozenset({label}) if label not in ("drawn", "injected") else frozenset()
