"""The steps in which a person adds the years before a meter from a file: choose, see, confirm."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.components.recorder import DOMAIN as RECORDER
from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import FileSelector, FileSelectorConfig
import probatio as vol

from ..const import CONF_HISTORY
from ..enedis_files import (
    MOST_BYTES,
    Contents,
    Direction,
    Problem,
    Refusal,
    Refused,
    Series,
    parse,
)
from ..entries import sensor_id
from ..recorder.rows import Rows
from .candidates import DRAWN, INJECTED
from .continuing import async_first, async_put_before, name
from .file_hours import hours
from .flow import kwh, number, period

CONF_FILE: Final = "file"
GONE: Final = "file_gone"
NOTHING_BEFORE: Final = "file_nothing_before"
NOT_COUNTED: Final = "file_not_counted"
OTHER_DIRECTION: Final = "file_other_direction"

_KEYS: Final = {Direction.CONSUMPTION: DRAWN, Direction.PRODUCTION: INJECTED}
"""The entity that counts what a file says. Enedis calls *production* what a home injects."""

REFUSALS: Final[Mapping[Refusal, str]] = {
    Refusal.EMPTY: "file_empty",
    Refusal.TOO_LARGE: "file_too_large",
    Refusal.TOO_MANY_ROWS: "file_too_large",
    Refusal.UNPACKS_TOO_LARGE: "file_too_large",
    Refusal.DAMAGED: "file_damaged",
    Refusal.ENCRYPTED: "file_encrypted",
    Refusal.FORMULA: "file_active",
    Refusal.EXTERNAL_LINK: "file_active",
    Refusal.MACRO: "file_active",
    Refusal.DOCUMENT_TYPE: "file_active",
    Refusal.UNKNOWN_FORM: "file_unknown_form",
    Refusal.NOTHING_READ: "file_nothing_read",
}
ONLY: Final[Mapping[Problem, str]] = {
    Problem.NO_ENERGY: "file_no_energy",
    Problem.UNIT_UNKNOWN: "file_unit_unknown",
}
"""Why nothing was read, where each table has the same problem."""
_MOST_LINES: Final = 10
_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)


class FileSteps(OptionsFlow):
    """Takes a file, shows what is in it, and puts it before the meter's own statistics."""

    def __init__(self) -> None:
        """Start without a file."""
        super().__init__()
        self._before: dict[str, Rows] = {}
        self._shown: dict[str, str] = {}

    @property
    def _file_keys(self) -> list[str]:
        """The entities that a file may be put before; one that waits for a history is none yet."""
        if RECORDER not in self.hass.config.components:
            return []
        waiting = self.config_entry.data.get(CONF_HISTORY, {})
        return [
            key
            for key in _KEYS.values()
            if key not in waiting and sensor_id(self.hass, self.config_entry, key) is not None
        ]

    async def async_step_file(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose the file."""
        errors = {}
        if user_input is not None:
            try:
                contents = await self.hass.async_add_executor_job(
                    _read, self.hass, user_input[CONF_FILE]
                )
            except Refused as refused:
                errors["base"] = _error(refused)
            except ValueError:  # It was uploaded too long ago.
                errors["base"] = GONE
            else:
                if error := await self._look_at(contents):
                    errors["base"] = error
                else:
                    return await self.async_step_file_confirm()
        field = FileSelector(FileSelectorConfig(accept=".csv,.txt,.xlsx,.zip"))
        return self.async_show_form(
            step_id="file",
            data_schema=vol.Schema({vol.Required(CONF_FILE): field}),
            errors=errors,
            last_step=False,
        )

    async def async_step_file_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what was read, and put it into the statistics when the person agrees."""
        if user_input is None:
            return self.async_show_form(
                step_id="file_confirm",
                data_schema=vol.Schema({}),
                description_placeholders=self._shown,
            )
        joined = [
            await async_put_before(self.hass, self.config_entry, key, rows)
            for key, rows in self._before.items()
        ]
        return self.async_abort(reason="file_joined" if all(joined) else "file_not_joined")

    async def _look_at(self, contents: Contents) -> str | None:
        """Prepare what is to be shown and written; return why nothing can be, if so."""
        table: list[str] = []
        self._before = {}
        error = OTHER_DIRECTION
        for direction, key in _KEYS.items():
            series = [each for each in contents.series if each.direction is direction]
            if not series or key not in self._file_keys:
                continue
            if (first := await async_first(self.hass, self.config_entry, key)) is None:
                error = NOT_COUNTED
                continue
            if not (before := hours(series, first.hour)):
                error = NOTHING_BEFORE
                continue
            self._before[key] = before
            added = f"{period(before[0].start, before[-1].end)}<br>{kwh(before[-1].sum_wh)}"
            entity = name(self.hass, self.config_entry, key)
            table += [_row(entity, each, added) for each in series]
        # Peak powers stand beside energies in an archive of a supplier, and are understood.
        lines = [each.line for each in contents.faults if each.problem is not Problem.NO_ENERGY]
        listed = ", ".join(map(str, dict.fromkeys(lines[:_MOST_LINES])))
        count = len(lines) + contents.more_faults
        self._shown = {
            "series": "\n".join(table),
            "unread": number(count),
            "lines": f"{listed}…" if count > _MOST_LINES else listed or "–",
        }
        return None if self._before else error


def _read(hass: HomeAssistant, file_id: str) -> Contents:
    """Read an uploaded file, which is removed then."""
    with process_uploaded_file(hass, file_id) as path:
        if path.stat().st_size > MOST_BYTES:
            raise Refused(Refusal.TOO_LARGE)
        return parse(path.read_bytes())


def _error(refused: Refused) -> str:
    problems = {fault.problem for fault in refused.faults}
    if len(problems) == 1 and (error := ONLY.get(problems.pop())) is not None:
        return error
    return REFUSALS[refused.refusal]


def _row(entity: str, series: Series, added: str) -> str:
    """Return a row of the table that the page has: its headings are in its language."""
    lengths = [each for each in series.steps if each <= _HOUR]
    minutes = ", ".join(f"{each / _MINUTE:.0f}" for each in lengths)
    step = f"{minutes} min" if minutes else "24 h"
    read = period(series.start.timestamp(), series.end.timestamp())
    cells = (
        f"**{entity}**<br>{read}".replace("|", "\\|"),
        f"{number(len(series.readings))} × {step}",
        number(series.missing),
        added,
    )
    return f"| {' | '.join(cells)} |"
