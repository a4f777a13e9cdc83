"""The steps in which a person continues the history of a meter: choose, see, confirm."""

from abc import abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryBaseFlow, ConfigFlowResult
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.util import dt as dt_util
import probatio as vol

from ..recorder.rows import Row
from .candidates import Candidate, Target, async_candidates, proposed
from .continuing import async_preview
from .joint import Joint, Register

CONF_SERIES: Final = "series"
TWICE: Final = "history_twice"

_THIN_SPACE: Final = "\u202f"


class HistorySteps(ConfigEntryBaseFlow):
    """Offers the series that may be continued. Nothing is written before the flow has ended."""

    def __init__(self) -> None:
        """Start with nothing to offer."""
        super().__init__()
        self._candidates: dict[str, Candidate] = {}
        self._chosen: dict[str, str] = {}

    @abstractmethod
    async def _async_history_chosen(self, series: dict[str, str]) -> ConfigFlowResult:
        """End the flow with the series to continue, by the keys of the entities: perhaps none."""

    async def _async_first(self, target: Target) -> Row:
        """Return the first row of the entity that goes on: one that begins now has none yet."""
        now = dt_util.utcnow().timestamp()
        return Row(start=now, end=now, sum_wh=0.0, state_wh=target.level_wh)

    async def _async_find_history(self, targets: Iterable[Target]) -> bool:
        """Look for what may be continued."""
        candidates = await async_candidates(self.hass, targets)
        self._candidates = {str(number): each for number, each in enumerate(candidates)}
        return bool(self._candidates)

    async def _async_offer_history(self, targets: Iterable[Target]) -> ConfigFlowResult:
        """Offer what may be continued; go on if there is nothing."""
        if await self._async_find_history(targets):
            return await self.async_step_history()
        return await self._async_history_chosen({})

    async def async_step_history(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose the series to continue."""
        errors: dict[str, str] = {}
        if user_input is not None:
            chosen = [self._candidates[number] for number in user_input[CONF_SERIES]]
            self._chosen = {each.target.key: each.statistic_id for each in chosen}
            sources = {each.statistic_id for each in chosen}
            if not chosen:
                return await self._async_history_chosen({})
            if len(self._chosen) == len(chosen) == len(sources):
                return await self._show_joints(chosen)
            errors["base"] = TWICE
        options = [
            SelectOptionDict(value=number, label=f"{each.target.name} ← {each.name}")
            for number, each in self._candidates.items()
        ]
        sure = proposed(self._candidates.values())
        default = [number for number, each in self._candidates.items() if each in sure]
        field = SelectSelector(
            SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
        )
        return self.async_show_form(
            step_id="history",
            data_schema=vol.Schema({vol.Required(CONF_SERIES, default=default): field}),
            errors=errors,
        )

    async def _show_joints(self, chosen: Iterable[Candidate]) -> ConfigFlowResult:
        lines = []
        for each in chosen:
            first = await self._async_first(each.target)
            joint = await async_preview(self.hass, each.statistic_id, each.last.end, first)
            lines.append(f"- **{each.target.name}** ← {each.name}  \n  {_shown(each, joint)}")
        return self.async_show_form(
            step_id="history_confirm",
            data_schema=vol.Schema({}),
            description_placeholders={"series": "\n".join(lines)},
        )

    async def async_step_history_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take what was shown as chosen."""
        return await self._async_history_chosen(self._chosen)


def _shown(candidate: Candidate, joint: Joint | None) -> str:
    """Show from when to when, how much, and how the registers meet, in no language."""
    if joint is None:
        return "–"
    first, last = joint.hours[0], joint.hours[-1]
    facts = [period(first.start, last.end), kwh(last.sum_wh)]
    level_wh = candidate.target.level_wh or 0.0
    if last.state_wh is not None and joint.register is Register.SAME:
        facts.append(f"{kwh(last.state_wh)} ✓ + {number(joint.between_wh)} Wh")
    elif joint.register is Register.OTHER:
        facts.append(f"{kwh(candidate.last.state_wh or 0.0)} ≠ {kwh(level_wh)}")
    else:
        facts.append("?")
    return " · ".join(facts)


def period(since: float, until: float) -> str:
    """Write a time from moment to moment, as every language reads it."""

    def moment(at: float) -> datetime:
        return dt_util.as_local(dt_util.utc_from_timestamp(at))

    return f"{moment(since):%Y-%m-%d} → {moment(until):%Y-%m-%d %H:%M}"


def kwh(energy_wh: float) -> str:
    """Write an energy in whole kWh."""
    return f"{number(energy_wh / 1_000)} kWh"


def number(value: float) -> str:
    """Write a whole number with thin spaces, which no language takes for a decimal sign."""
    return f"{value:,.0f}".replace(",", _THIN_SPACE)
