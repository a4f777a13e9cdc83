"""Waits for the recorder, which counts the first minutes of a new entity some minutes later."""

from collections.abc import Awaitable, Callable

from homeassistant.components.recorder import get_instance
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_RECORDER_5MIN_STATISTICS_GENERATED
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback


@callback
def after_each_count(
    hass: HomeAssistant, entry: ConfigEntry, name: str, attempt: Callable[[], Awaitable[bool]]
) -> None:
    """Attempt something after each five minutes that the recorder has counted, until it is done.

    An attempt returns whether it is done. One that fails is the last before the entry is loaded
    again.
    """
    _Attempts(hass, entry, name, attempt).begin()


class _Attempts:
    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        name: str,
        attempt: Callable[[], Awaitable[bool]],
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._name = name
        self._attempt = attempt
        self._busy = False
        self._unlisten: CALLBACK_TYPE | None = None

    @callback
    def begin(self) -> None:
        self._unlisten = self._hass.bus.async_listen(
            EVENT_RECORDER_5MIN_STATISTICS_GENERATED, self._counted
        )
        self._entry.async_on_unload(self._end)

    @callback
    def _end(self) -> None:
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None

    @callback
    def _counted(self, _event: Event) -> None:
        if not self._busy:
            self._busy = True
            self._entry.async_create_background_task(self._hass, self._try(), self._name)

    async def _try(self) -> None:
        done = True
        try:
            # The event comes before its rows are stored.
            await get_instance(self._hass).async_block_till_done()
            done = await self._attempt()
        finally:
            self._busy = False
            if done:
                self._end()
