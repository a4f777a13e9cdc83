"""Waits for the recorder, which counts the first minutes of a new entity some minutes later."""

from collections.abc import Awaitable, Callable
from contextlib import ExitStack

from homeassistant.components.recorder import get_instance
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_RECORDER_5MIN_STATISTICS_GENERATED
from homeassistant.core import Event, HomeAssistant, callback


@callback
def after_each_count(
    hass: HomeAssistant, entry: ConfigEntry, name: str, attempt: Callable[[], Awaitable[bool]]
) -> None:
    """Attempt something after each five minutes that the recorder has counted, until it is done.

    An attempt returns whether it is done. One that fails is the last before the entry is loaded
    again.
    """
    listening, busy = ExitStack(), False

    @callback
    def counted(_event: Event) -> None:
        nonlocal busy
        if not busy:
            busy = True
            entry.async_create_background_task(hass, attempt_once(), name)

    async def attempt_once() -> None:
        nonlocal busy
        done = True
        try:
            # The event comes before its rows are stored.
            await get_instance(hass).async_block_till_done()
            done = await attempt()
        finally:
            busy = False
            if done:
                listening.close()

    listening.callback(hass.bus.async_listen(EVENT_RECORDER_5MIN_STATISTICS_GENERATED, counted))
    entry.async_on_unload(listening.close)
