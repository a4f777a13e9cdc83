"""A meter in Home Assistant, from the day it is added: real hass, real serial port, real time.

The tests are one story: each finds the home as the one before has left it.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from operator import le
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from consometers_tic import Mode
from consometers_tic_virtual import Contract, Linky, VirtualLinky
from consometers_tic_virtual.world import World
from demo.hass import Api, FlowStep, Hass, StatisticRow
from testing.programs.metered_home import DOMAIN, EVERY_FRAME, MeteredHome, import_energy
from testing.waiting import eventually

HOUR = timedelta(hours=1)
HOUR_OF_NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
FORMER = "sensor.linky_eait"
"""What another integration counted as injected, of the same register."""
HOURLY_WH = 300

# On a day in June the panels make more than the home needs: the meter counts both ways.
NOON = datetime(2026, 6, 17, 14, tzinfo=ZoneInfo("Europe/Paris")).timestamp()


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the virtual meters' ports are."""
    return tmp_path_factory.mktemp("ports")


@pytest_asyncio.fixture(scope="module")
async def meter(ports: Path) -> AsyncIterator[VirtualLinky]:
    linky = Linky(World(), Contract(producer=True))
    async with VirtualLinky(linky, link=ports / "linky", start=NOON) as meter:
        yield meter


async def choose(home: MeteredHome, step_id: str, **data: Any) -> FlowStep:
    """Choose from the menu of the meter's options, if there is a choice, and submit the form."""
    step = await home.api.start_options_flow(home.entry_id, choice=step_id)
    assert step.get("step_id") == step_id
    return await home.api.submit_options(step, **data)


async def rows(api: Api, statistic_id: str) -> list[StatisticRow]:
    """Return the hours of a statistic, which are few."""
    return await api.statistics(statistic_id, "hour", HOUR_OF_NOW - 10 * HOUR)


async def shows(
    home: MeteredHome, key: str, wanted: Callable[[float], bool] = lambda _energy: True
) -> float:
    """Wait until a register is shown, and return what it shows in Wh."""

    def is_wanted(energy: float | None) -> bool:
        return energy is not None and wanted(energy)

    energy = await eventually(partial(home.energy_wh, key), is_wanted)
    assert energy is not None
    return energy


@pytest_asyncio.fixture(scope="module")
async def home(hass: Hass, meter: VirtualLinky) -> MeteredHome:
    """The home after its meter was added with a history, and which is read frame by frame."""
    registers = meter.linky.registers(meter.line.second)
    hours = {HOUR_OF_NOW - n * HOUR: registers.injected_wh - n * HOURLY_WH for n in range(1, 4)}
    await import_energy(hass.api, FORMER, hours)
    await eventually(partial(rows, hass.api, FORMER), lambda there: len(there) == len(hours))
    step = await hass.api.start_flow(DOMAIN, choice="meter")
    history = await hass.api.submit(await hass.api.submit(step, device=meter.port))
    assert history.get("step_id") == "history"
    (field,) = history["data_schema"]
    shown = await hass.api.submit(history, series=field["default"])
    assert shown.get("step_id") == "history_same"
    assert "linky_eait" in str(shown.get("description_placeholders"))
    home = MeteredHome(
        hass=hass,
        meter=meter,
        created=await hass.api.submit(shown),
        registers_before_wh=registers.drawn_wh,
    )
    await choose(home, "publication", **EVERY_FRAME)
    await shows(home, "energy_injected")
    return home


async def test_registers_match_the_meter(home: MeteredHome) -> None:
    for key in ("energy_drawn", "energy_injected"):
        before = _registers(home)[key]
        shown = await shows(home, key, partial(le, before))
        assert before <= shown <= _registers(home)[key]


async def test_a_joined_history_continues_and_can_be_undone(home: MeteredHome) -> None:
    entity_id, former = await home.entity_id("energy_injected"), await rows(home.api, FORMER)
    if await home.issue_ids() != {"history_joined"}:
        # Home Assistant counts an entity every five minutes: this is what it does then.
        energy_wh = await shows(home, "energy_injected")
        await import_energy(home.api, entity_id, {HOUR_OF_NOW: energy_wh}, since_wh=energy_wh)

        async def counted() -> set[str]:
            # The hour may be written after it was first looked for.
            await home.api.request("POST", "events/recorder_5min_statistics_generated")
            return await home.issue_ids()

        await eventually(counted, lambda issues: issues == {"history_joined"})

    def levels(hours: Sequence[StatisticRow]) -> list[tuple[Any, ...]]:
        return [(row["start"], row.get("state"), row.get("sum")) for row in hours]

    joined = await rows(home.api, entity_id)
    assert levels(joined[: len(former)]) == levels(former)
    # Nothing leaps: what the register counted is what was used.
    for (_, state, total), (_, later_state, later_total) in pairwise(levels(joined)):
        assert later_total - total == pytest.approx(later_state - state)

    assert (await choose(home, "undo")).get("reason") == "history_undone"
    begin_ms = HOUR_OF_NOW.timestamp() * 1000
    own = await eventually(
        partial(rows, home.api, entity_id),
        lambda there: all(row["start"] >= begin_ms for row in there),
    )
    assert all(total < former[-1].get("sum") for _, _, total in levels(own))
    assert await rows(home.api, FORMER) == former
    assert await home.issue_ids() == set()


async def test_powers_match_the_meter(home: MeteredHome) -> None:
    asked = home.meter.line.second
    shown = float(await home.state("apparent_power_injected"))
    # It may have been sent while the answer was on its way.
    injected_va = {
        -sum(home.meter.linky.measures.apparent_va(second))
        for second in range(asked - 6, home.meter.line.second + 1)
    }
    assert shown in injected_va
    assert float(await home.state("apparent_power")) == 0


async def test_an_unplugged_meter_is_unavailable_until_it_is_back(home: MeteredHome) -> None:
    assert await home.state("link") == "on"
    await home.meter.unplug()
    await eventually(lambda: home.state("energy_drawn"), lambda state: state == "unavailable")
    assert await home.state("apparent_power") == "unavailable"
    await home.meter.plug()
    await shows(home, "energy_injected")
    assert await home.state("link") == "on"


async def test_loss_and_return_are_each_logged_once(home: MeteredHome) -> None:
    messages = [
        record.level
        for record in home.hass.log()
        if record.logger.startswith("custom_components") and record.level != "DEBUG"
    ]
    assert sorted(messages) == ["INFO", "WARNING"]


async def test_a_switched_mode_can_be_adopted(home: MeteredHome) -> None:
    home.meter.line.switch_mode(Mode.HISTORIQUE)
    await eventually(home.issue_ids, lambda issues: issues == {"mode_changed"})
    (issue,) = await home.api.issues(DOMAIN)
    assert issue["is_fixable"]
    assert (await home.api.fix(issue))["type"] == "create_entry"
    assert await home.issue_ids() == set()
    await shows(home, "energy_drawn")
    # Injection is invisible in this mode.
    assert await home.state("energy_injected") == "missing"


async def test_a_restart_keeps_entities_and_goes_on_counting(home: MeteredHome) -> None:
    entities = await home.api.entity_ids(home.entry_id)
    before = await home.energy_wh("energy_drawn")
    assert before is not None
    await home.hass.restart()
    assert await shows(home, "energy_drawn") >= before
    assert await home.api.entity_ids(home.entry_id) == entities


async def test_a_meter_that_moved_keeps_its_entities(home: MeteredHome, ports: Path) -> None:
    entities = await home.api.entity_ids(home.entry_id)
    await home.meter.stop()
    moved = VirtualLinky(home.meter.linky, link=ports / "moved", start=home.meter.line.at)
    async with moved:
        home.meter = moved
        step = await home.api.start_flow(DOMAIN, entry_id=home.entry_id)
        assert step.get("step_id") == "reconfigure_meter"
        step = await home.api.submit(step, device=moved.port)
        assert step.get("reason") == "reconfigure_successful"
        await shows(home, "energy_drawn")
        assert await home.api.entity_ids(home.entry_id) == entities


async def test_energy_never_fell_and_was_never_zero(home: MeteredHome) -> None:
    seen = await home.energies_seen_wh("energy_drawn")
    assert len(seen) > 3
    assert seen[0] >= home.registers_before_wh > 0
    assert all(before <= after for before, after in pairwise(seen))


async def test_a_replaced_meter_keeps_its_entities_and_raises_an_issue(home: MeteredHome) -> None:
    entities = await home.api.entity_ids(home.entry_id)
    async with home.meter:
        await shows(home, "energy_drawn")
        home.meter.line.swap_meter()
        # A new meter counts from nothing.
        await shows(home, "energy_drawn", lambda energy: energy < home.registers_before_wh)
        (issue,) = await home.api.issues(DOMAIN)
        assert issue["translation_key"] == "meter_replaced"
        (entry,) = await home.api.entries(DOMAIN)
        assert entry["title"].endswith(home.meter.linky.identity.address[-4:])
        assert await home.api.entity_ids(home.entry_id) == entities
    assert (await home.api.fix(issue))["type"] == "create_entry"
    assert await home.issue_ids() == set()


async def test_a_removed_meter_leaves_nothing_behind(home: MeteredHome) -> None:
    await home.api.remove(home.entry_id)
    assert await home.api.entries(DOMAIN) == []
    assert await home.api.entities(home.entry_id) == []
    assert await home.issue_ids() == set()


async def test_the_log_has_no_problem_and_no_address(home: MeteredHome) -> None:
    lost = [record for record in home.hass.problems() if "nothing valid" in record.message]
    assert home.hass.problems() == lost
    identity = home.meter.linky.identity
    log = home.hass.log_path.read_text()
    assert identity.address not in log
    assert identity.delivery_point not in log


def _registers(home: MeteredHome) -> dict[str, int]:
    registers = home.meter.linky.registers(home.meter.line.second)
    return {"energy_drawn": registers.drawn_wh, "energy_injected": registers.injected_wh}
