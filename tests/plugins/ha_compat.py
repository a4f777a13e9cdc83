"""Lets pytest-homeassistant-custom-component 0.13.375 run on Home Assistant 2026.11.

It was made for 2026.10 and, while it loads, takes a function of the logger integration from where
that one stood then. pytest loads this module before it (``-p ha_compat``). To be dropped with the
next release of the plugin.
"""

# Before all else: it puts its own libraries in the place of httpx and voluptuous.
import homeassistant  # noqa: F401
from homeassistant.components import logger
from homeassistant.components.logger import helpers

_NAME = "_clear_logger_overwrites"

if not hasattr(logger, _NAME):
    setattr(logger, _NAME, getattr(helpers, _NAME))
