"""Updates the simulation of each collective, and its statistic, from Home Assistant's."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, override

from homeassistant.components.recorder.models import StatisticMeanType, StatisticMetaData
from homeassistant.const import UnitOfEnergy
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import EnergyConverter

from ...const import CONF_COEFFICIENT, CONF_SHARING_KEY, DOMAIN
from ...recorder.rows import HOUR_S, Row, energies
from ...recorder.statistics import async_external, async_hours, async_rows
from ...recorder.waiting import after_each_count
from ..api.answers import Collective, Node, Prices
from .simulation import (
    Allocation,
    Hour,
    Key,
    Meter,
    Period,
    nearest,
    price,
    received,
    together,
)
from .surplus_coordinator import HourlyCoordinator, statistics_of

CURRENCY: Final = "EUR"
"""Collectives state prices in euros."""
_RECORDER: Final = "recorder"
_PREFIX: Final = f"{DOMAIN}:simulated_"
_SUMS: Final = f"{DOMAIN}:collective_"
_AGAIN_S: Final = timedelta(days=35).total_seconds()
"""Hours that may be corrected: the network operator corrects meters for a month."""
_CENTS: Final = 100
_PERCENT: Final = 100
_NAMES: Final = {
    "en": "{collective} — the neighbours’ sun (simulation)",
    "fr": "{collective} — soleil des voisins (simulation)",
}

type FindMeter = Callable[[HomeAssistant], Awaitable[Meter]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What this home would have received, today and this month, in its own time."""

    key: Key
    day: date
    until: datetime | None
    today: Period | None
    month: Period | None
    prices: Prices | None


def simulated_statistic(collective: Collective) -> str | None:
    """Return the statistic of the simulation with a collective, if its sums are of hours."""
    statistics = statistics_of(collective)
    if statistics is None or collective.last is None:
        return None
    return f"{_PREFIX}{statistics[0].removeprefix(_SUMS).replace('_injection', '')}"


class SimulationCoordinator(HourlyCoordinator[Simulation]):
    """Simulates collective self-consumption.

    All published hours are computed at first and once a day, else the last weeks, which may change.
    """

    minute = 10
    """The recorder counts an hour once it is over."""

    def __init__(self, node: DataUpdateCoordinator[Node], find_meter: FindMeter) -> None:
        """Start without a simulation. `find_meter` finds the meter of the home's consumption."""
        super().__init__(node, "simulation")
        options = self.config_entry.options
        self._find_meter = find_meter
        self._key = Key(options.get(CONF_SHARING_KEY, Key.USE))
        self._coefficient = options.get(CONF_COEFFICIENT, 0.0) / _PERCENT
        self._whole: dict[str, date] = {}
        self._begins: dict[str, float] = {}

    @callback
    @override
    def async_start(self) -> None:
        super().async_start()
        # At first, the past of the collective or of the home may still be on its way.
        after_each_count(self.hass, self.config_entry, self.name, self._has_hours)

    async def _has_hours(self) -> bool:
        await self.async_refresh()
        return bool(self.data) and all(each.until is not None for each in self.data.values())

    @override
    def _inputs(self, collective: Collective) -> object:
        return collective.last, collective.prices, collective.statistics

    @override
    async def _async_update_data(self) -> Mapping[str, Simulation]:
        if _RECORDER not in self.hass.config.components:
            return {}
        meter = await self._find_meter(self.hass)
        return {
            each.id: await self._simulate(each, statistic, meter)
            for each in self._node.data.collectives
            if meter.drawn and (statistic := simulated_statistic(each)) is not None
        }

    async def _simulate(self, collective: Collective, statistic: str, meter: Meter) -> Simulation:
        allocations: list[Allocation] | None = None
        today = dt_util.now().date()
        if self._whole.get(statistic) == today:
            now = dt_util.utcnow().timestamp()
            ids = self._ids(collective, meter)
            rows = await async_rows(self.hass, {*ids, statistic}, now - _AGAIN_S, now, "hour")
            allocations = await self._computed(collective, meter, rows)
            held = rows.get(statistic, ())
            if not self._continue(collective, statistic, allocations, held):
                allocations = None
        if allocations is None:
            allocations = await self._write_all(collective, statistic, meter)
            self._whole[statistic] = today
        return self._of_now(collective, allocations)

    def _continue(
        self,
        collective: Collective,
        statistic: str,
        allocations: Sequence[Allocation],
        held: Sequence[Row],
    ) -> bool:
        """Write the hours that changed after the first held one; return whether all follow it."""
        if not held:
            return not allocations
        first = held[0]
        if allocations and allocations[0].start < first.start:
            return False
        later = [each for each in allocations if each.start > first.start]
        sums = _sums(later, nearest(first.sum_wh))
        if not {row.start for row in held[1:]} <= sums.keys():
            return False
        self._write(collective, statistic, sums, held)
        return True

    async def _write_all(
        self, collective: Collective, statistic: str, meter: Meter
    ) -> list[Allocation]:
        """Make the statistic hold all hours that can be computed, and no other."""
        ids = self._ids(collective, meter)
        until = dt_util.utcnow().timestamp()
        needed = set(statistics_of(collective) or ())
        rows = await async_hours(self.hass, {*ids, statistic}, until, needed=needed)
        self._begins |= {each: held[0].start for each, held in rows.items() if held}
        allocations = await self._computed(collective, meter, rows)
        sums = _sums(allocations, 0.0)
        held = rows[statistic]
        if {row.start for row in held} <= sums.keys():
            self._write(collective, statistic, sums, held)
        else:
            self._write(collective, statistic, sums, (), instead=True)
        return allocations

    def _write(
        self,
        collective: Collective,
        statistic: str,
        sums: Mapping[float, float],
        held: Sequence[Row],
        *,
        instead: bool = False,
    ) -> None:
        before = {row.start: nearest(row.sum_wh) for row in held}
        changed = {at: wh for at, wh in sums.items() if before.get(at) != wh}
        name = _NAMES.get(self.hass.config.language, _NAMES["en"])
        metadata = StatisticMetaData(
            mean_type=StatisticMeanType.NONE,
            has_sum=True,
            name=name.format(collective=collective.name),
            source=DOMAIN,
            statistic_id=statistic,
            unit_class=EnergyConverter.UNIT_CLASS,
            unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        )
        async_external(self.hass, metadata, changed, instead=instead)

    def _ids(self, collective: Collective, meter: Meter) -> set[str]:
        published = filter(None, self._published_ids(collective))
        return {*published, *meter.drawn, *(meter.prices or ())}

    def _published_ids(self, collective: Collective) -> tuple[str, str, str]:
        """Return the statistics of injection, consumption and a mean home, as far as there are."""
        statistics = collective.statistics
        average = None if statistics is None else statistics.consumption_per_member
        return *(statistics_of(collective) or ("", "")), average or ""

    async def _computed(
        self, collective: Collective, meter: Meter, rows: Mapping[str, Sequence[Row]]
    ) -> list[Allocation]:
        # Of some years, it takes too long for the event loop.
        return await self.hass.async_add_executor_job(self._allocations, collective, meter, rows)

    def _allocations(
        self,
        collective: Collective,
        meter: Meter,
        rows: Mapping[str, Sequence[Row]],
    ) -> list[Allocation]:
        """Return the hours with all inputs, in order."""

        def of(statistic: str) -> Mapping[float, float]:
            return energies(rows.get(statistic, ()))

        injected, drawn, per_member = (
            self._published(each, rows) for each in self._published_ids(collective)
        )
        own = [of(each) for each in meter.drawn]
        priced = [(of(each), euros) for each, euros in (meter.prices or {}).items()]
        allocations = []
        for at in sorted(injected.keys() & drawn.keys()):
            used = [each.get(at) for each in own]
            hour = [injected[at], drawn[at], *(each for each in used if each is not None)]
            if None in used or min(hour) < 0:
                continue
            whole = Hour(
                at,
                nearest(injected[at]),
                nearest(drawn[at]),
                nearest(sum(hour[2:])),
                nearest(per_member[at]) if at in per_member else None,
            )
            wh = received(whole, self._key, self._coefficient)
            if wh is not None:
                by_index = price((counted.get(at), euros) for counted, euros in priced)
                allocations.append(Allocation(at, wh, whole.own, by_index))
        return allocations

    def _published(
        self, statistic: str, rows: Mapping[str, Sequence[Row]]
    ) -> Mapping[float, float]:
        """Return the energy of each hour. The node's statistics begin with that of an hour."""
        held = rows.get(statistic, ())
        begins = bool(held) and held[0].start == self._begins.get(statistic)
        return energies(held, from_zero=begins)

    def _of_now(self, collective: Collective, allocations: Sequence[Allocation]) -> Simulation:
        today = dt_util.start_of_local_day()
        month = dt_util.start_of_local_day(today.date().replace(day=1))
        prices = collective.prices if self.hass.config.currency == CURRENCY else None
        local, usual = (
            (None, None) if prices is None else (prices.local / _CENTS, prices.grid / _CENTS)
        )

        until = allocations[-1].start + HOUR_S if allocations else None

        def since(start: datetime) -> Period | None:
            begin = start.timestamp()
            since_then = [each for each in allocations if each.start >= begin]
            return together(since_then, round(((until or begin) - begin) / HOUR_S), local, usual)

        return Simulation(
            key=self._key,
            day=today.date(),
            until=None if until is None else dt_util.utc_from_timestamp(until),
            today=since(today),
            month=since(month),
            prices=prices,
        )


def _sums(allocations: Sequence[Allocation], begin: float) -> dict[float, float]:
    sums = {}
    for each in allocations:
        begin += each.received
        sums[each.start] = begin
    return sums
