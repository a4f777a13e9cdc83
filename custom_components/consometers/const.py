"""Names that Home Assistant stores for us: changing one is a migration."""

from typing import Final

DOMAIN: Final = "consometers"

CONF_KIND: Final = "kind"
"""The kind of an entry; without it, a meter."""
KIND_METER: Final = "meter"
KIND_NODE: Final = "node"
KIND_INVERTER: Final = "inverter"
KIND_BALANCE: Final = "balance"
CONF_APP: Final = "app"
"""Slug of the app whose node was discovered: its page opens within Home Assistant."""

CONF_MODE: Final = "mode"
CONF_TARIFFS: Final = "tariffs"
CONF_SCHEDULES: Final = "schedules"
"""Names of the supplier's indexes, as shown while each ran: {"EASF01": "HP BLEU"}."""
CONF_PRODUCTION: Final = "production"
"""Whether a meter is a second one, which counts what panels sell."""
CONF_OFFSET: Final = "offset_wh"
"""What is added to the meter's total since its mode changed."""

CONF_HISTORY: Final = "history"
"""Series whose hours are to be continued, by the key of the entity that continues them."""
CONF_JOINED: Final = "joined"
"""Joined history, for its removal: by key, the series, its hours, its offset."""

CONF_UNIT_ID: Final = "unit_id"
CONF_BASE: Final = "base"
"""Address of the register where an inverter's map begins."""
CONF_INTERVAL: Final = "interval"
CONF_BAUDRATE: Final = "baudrate"
"""An inverter with a device instead of a host is on a serial line."""
CONF_FRAMING: Final = "framing"
"""Bits, parity and stop bits of a character, as manuals write it: 8N1."""

CONF_HOME: Final = "home"
"""How a home is connected."""
CONF_PRODUCTION_ENERGY: Final = "production_energy"
CONF_DRAWN_ENERGY: Final = "drawn_energy"
CONF_INJECTED_ENERGY: Final = "injected_energy"
CONF_PRODUCTION_POWER: Final = "production_power"
CONF_DRAWN_POWER: Final = "drawn_power"
CONF_INJECTED_POWER: Final = "injected_power"

CONF_SHARING_KEY: Final = "sharing_key"
"""By which key of collective self-consumption a simulation divides."""
CONF_COEFFICIENT: Final = "coefficient"
"""The home's fixed part of it, in %."""

CONF_POWER_INTERVAL: Final = "power_interval"
CONF_REGISTER_INTERVAL: Final = "register_interval"
CONF_SILENCE: Final = "silence"
CONF_RAW_LABELS: Final = "raw_labels"
CONF_ESTIMATE_INJECTION: Final = "estimate_injection"
CONF_INJECTION_PRICE: Final = "injection_price"
"""What a kWh that is injected earns."""

DEFAULT_POWER_INTERVAL: Final = 10
DEFAULT_REGISTER_INTERVAL: Final = 60
DEFAULT_SILENCE: Final = 30

DEFAULT_PORT: Final = 502
DEFAULT_UNIT_ID: Final = 1
DEFAULT_BAUDRATE: Final = 9_600
DEFAULT_FRAMING: Final = "8N1"
DEFAULT_INTERVAL: Final = 30
FORMER_INTERVAL: Final = 10
"""That of inverters that were added before the interval was written down with them."""
