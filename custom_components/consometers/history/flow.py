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
from .continuing import async_joint
from .joint import Joint, Register

CONF_SERIES: Final = "series"
TWICE: Final = "history_twice"
NOTHING: Final = "history_nothing"

PAGES: Final = {
    Register.SAME: "history_same",
    Register.OTHER: "history_other",
    Register.UNKNOWN: "history_unknown",
}

_THIN_SPACE: Final = "\u202f"
_SMALL_WH: Final = 10_000


class HistorySteps(ConfigEntryBaseFlow):
    """Offers the series that may be continued. Nothing is written before the flow has ended."""

    def __init__(self) -> None:
        """Start without a series to offer."""
        super().__init__()
        self._candidates: dict[str, Candidate] = {}
        self._chosen: dict[str, str] = {}
        self._rows: dict[Register, list[str]] = {}

    @abstractmethod
    async def _async_history_chosen(self, series: dict[str, str]) -> ConfigFlowResult:
        """End the flow with the series to continue, by the keys of the entities: perhaps none."""

    async def _async_first(self, target: Target) -> Row:
        """Return the first row of the entity that goes on: one that begins now has none yet."""
        now = dt_util.utcnow().timestamp()
        return Row(start=now, end=now, sum_wh=0.0, state_wh=target.level_wh)

    async def _async_find_history(self, targets: Iterable[Target]) -> bool:
        """Look for series that may be continued."""
        candidates = await async_candidates(self.hass, targets)
        self._candidates = {str(number): each for number, each in enumerate(candidates)}
        return bool(self._candidates)

    async def _async_offer_history(self, targets: Iterable[Target]) -> ConfigFlowResult:
        """Offer series that may be continued; go on if there are none."""
        if await self._async_find_history(targets):
            return await self.async_step_history()
        return await self._async_history_chosen({})

    async def async_step_history(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose the series to continue."""
        if user_input is not None:
            chosen = [self._candidates[number] for number in user_input[CONF_SERIES]]
            self._chosen = {each.target.key: each.statistic_id for each in chosen}
            sources = {each.statistic_id for each in chosen}
            if not chosen:
                return await self._async_history_chosen({})
            if len(self._chosen) == len(chosen) == len(sources):
                return await self._show_joints(chosen)
            return self._choose({"base": TWICE})
        return self._choose({})

    def _choose(self, errors: dict[str, str]) -> ConfigFlowResult:
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
            last_step=False,
        )

    async def _show_joints(self, chosen: Iterable[Candidate]) -> ConfigFlowResult:
        """Show the joint: a page for each way in which registers meet."""
        self._rows = {register: [] for register in Register}
        for each in chosen:
            first = await self._async_first(each.target)
            until = min(first.hour, each.last.end)
            joint = await async_joint(self.hass, each.statistic_id, until, first)
            if joint is None:
                return self._choose({"base": NOTHING})
            self._rows[joint.register].append(_row(each, joint))
        return await self._show_next()

    async def _show_next(self) -> ConfigFlowResult:
        for register, step_id in PAGES.items():
            if rows := self._rows.pop(register, None):
                return self.async_show_form(
                    step_id=step_id,
                    data_schema=vol.Schema({}),
                    description_placeholders={"series": "\n".join(rows)},
                    last_step=not any(self._rows.values()),
                )
        return await self._async_history_chosen(self._chosen)

    async def async_step_history_same(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Agree to continue the series of a page."""
        return await self._show_next()

    async_step_history_other = async_step_history_unknown = async_step_history_same


def _row(candidate: Candidate, joint: Joint) -> str:
    """Return a row of the table that a page has: its headings are in its language."""
    first, last = joint.hours[0], joint.hours[-1]
    series = f"**{candidate.target.name}** ← {candidate.name}".replace("|", "\\|")
    cells = [f"{series}<br>{period(first.start, last.end)}", kwh(last.sum_wh)]
    if joint.register is Register.SAME:
        cells.append(f"+ {kwh(joint.between_wh)}")
    elif joint.register is Register.OTHER:
        level_wh = candidate.target.level_wh
        cells.append(kwh(candidate.last.state_wh or 0.0))
        cells.append("–" if level_wh is None else kwh(level_wh))
    return f"| {' | '.join(cells)} |"


def period(since: float, until: float) -> str:
    """Write a time from moment to moment, as every language reads it."""

    def moment(at: float) -> datetime:
        return dt_util.as_local(dt_util.utc_from_timestamp(at))

    return f"{moment(since):%Y-%m-%d} → {moment(until):%Y-%m-%d %H:%M}"


def kwh(energy_wh: float) -> str:
    """Write an energy: small ones in Wh, as no decimal sign is every language's."""
    if abs(energy_wh) < _SMALL_WH:
        return f"{number(energy_wh)} Wh"
    return f"{number(energy_wh / 1_000)} kWh"


def number(value: float) -> str:
    """Write a whole number with thin spaces, which no language takes for a decimal sign."""
    return f"{value:,.0f}".replace(",", _THIN_SPACE)
