"""A home with a meter: what the tests of the integration do to it, and see of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import json
from typing import Any, Final

from consometers_tic_virtual import VirtualLinky
from demo.hass import Api, FlowStep, Hass, Language
from testing.checkout import ROOT

DOMAIN: Final = "consometers"
EVERY_FRAME: Final = {
    "power_interval": 0,
    "register_interval": 0,
    "silence": 10,
    "raw_labels": False,
}
"""Options of a meter whose frames are all read at once."""


@dataclass(kw_only=True)
class MeteredHome:
    """A Home Assistant, a virtual meter, and the entry with which the one reads the other."""

    hass: Hass
    meter: VirtualLinky
    created: FlowStep
    registers_before_wh: int
    """What the meter showed as drawn before it was added."""
    seen_since: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def api(self) -> Api:
        return self.hass.api

    @property
    def entry_id(self) -> str:
        entry_id = self.created["result"]["entry_id"]
        assert isinstance(entry_id, str)
        return entry_id

    async def entity_id(self, key: str) -> str:
        return (await self.api.entity_ids(self.entry_id))[key]

    async def state(self, key: str) -> str:
        """The state of the entity with a translation key, or `missing`."""
        entity_id = (await self.api.entity_ids(self.entry_id)).get(key)
        if entity_id is None:
            return "missing"
        return (await self.api.state(entity_id))["state"]

    async def energy_wh(self, key: str) -> float | None:
        """The value of a register in Wh; None when there is none."""
        entity_ids = await self.api.entity_ids(self.entry_id)
        if key not in entity_ids:
            return None
        state = await self.api.state(entity_ids[key])
        if state["state"] in ("unknown", "unavailable"):
            return None
        return _wh(float(state["state"]), state["attributes"]["unit_of_measurement"])

    async def energies_seen_wh(self, key: str) -> Sequence[float]:
        """All values that a register ever showed, oldest first."""
        seen = await self.api.history(
            await self.entity_id(key), self.seen_since - timedelta(minutes=1)
        )
        return [
            _wh(float(state["state"]), state["attributes"]["unit_of_measurement"])
            for state in seen
            if state["state"] not in ("unknown", "unavailable")
        ]

    async def issue_ids(self) -> set[str]:
        """The kinds of what the integration asks a person to look at."""
        suffix = f"_{self.entry_id}"
        return {issue["issue_id"].removesuffix(suffix) for issue in await self.api.issues(DOMAIN)}


def _wh(value: float, unit: str) -> float:
    return value * {"Wh": 1, "kWh": 1_000, "MWh": 1_000_000}[unit]


async def import_energy(
    api: Api, statistic: str, registers_wh: Mapping[datetime, float], *, since_wh: float = 0
) -> None:
    """Write rows of a register, which is a portal's if its id has a colon, into the recorder.

    Sums count what the register counted since a level.
    """
    about = {"statistic_id": statistic, "mean_type": 0, "has_sum": True}
    unit = {"unit_of_measurement": "kWh", "unit_class": "energy"}
    source, colon, _ = statistic.partition(":")
    portal = {"source": source, "name": statistic} if colon else {}
    rows = [
        {"start": start.isoformat(), "state": wh / 1000, "sum": (wh - since_wh) / 1000}
        for start, wh in registers_wh.items()
    ]
    await api.import_statistics({**about, **unit, **portal}, rows)


def config_words(language: Language) -> dict[str, Any]:
    """Return what the integration's dialogs say in a language."""
    path = ROOT / "custom_components" / DOMAIN / "translations" / f"{language}.json"
    words = json.loads(path.read_text())["config"]
    assert isinstance(words, dict)
    return words
