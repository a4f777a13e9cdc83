"""Energy in everyday words, for people who have never seen a kWh. Pure."""

from consometers_node.i18n.text import Text, text
from consometers_node.web.core.speech import numbered

_WASH_WH = 1_000
_PHONE_WH = 15
_PEDAL_W = 100
"""The power that an untrained person sustains on a bicycle."""
_KETTLE_W = 2_000
_LAMPS = 10
_FEWEST = 2


def lamps(made_wh: float, used_wh: float) -> Text:
    """Compare production with consumption, in words."""
    if made_wh <= 0 or used_wh <= 0:
        return text("No sun on our panels: all our electricity comes from the grid.")
    times = made_wh / used_wh
    if times >= _FEWEST:
        words = text("Our panels produce {count} times as much as we use.")
        return numbered(words, count=int(times))
    if times >= 1:
        return text("Our panels produce more than we use.")
    lit = int(times * _LAMPS)
    if not lit:
        return text("There is little sun: nearly all our electricity comes from the grid.")
    words = text("Of every 10 lamps lit in our homes, our panels power {count}.")
    return numbered(words, count=lit)


def washes(wh: float | None) -> Text | None:
    """Return how many loads of laundry an energy washes; None where these are too few."""
    words = text("enough for {count} loads of laundry (about 1\u00a0kWh each)")
    return _compared(words, wh, _WASH_WH)


def kettles(watts: float | None) -> Text | None:
    """Return how many kettles take a power; None where these are too few."""
    words = text("We use as much as {count} kettles boiling at the same time.")
    return _compared(words, watts, _KETTLE_W)


def pupil(now_w: float | None, today_wh: float | None) -> Text | None:
    """Describe for pupils what panels do now, or else what they did today."""
    pedalling = text("Our panels produce as much as {count} people pedalling at the same time.")
    charging = text(
        "Since this morning, the sun on the roof has produced enough to charge {count} phones."
    )
    now = _compared(pedalling, now_w, _PEDAL_W)
    return now or _compared(charging, today_wh, _PHONE_WH)


def _compared(words: Text, value: float | None, unit: float) -> Text | None:
    count = 0 if value is None else round(value / unit)
    return None if count < _FEWEST else numbered(words, count=count)
