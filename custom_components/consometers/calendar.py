"""Calendars, by the kind of an entry."""

from functools import partial

from homeassistant.const import Platform

from .kinds import async_add

PARALLEL_UPDATES = 0

async_setup_entry = partial(async_add, Platform.CALENDAR)
