"""How long Home Assistant's recorder has records, and how long they may still change."""

from datetime import timedelta

from consometers_node.household.days import Memory

MEMORY = Memory(
    changing=timedelta(days=7),
    # Cloud meters rewrite thirty days.
    changing_imported=timedelta(days=35),
    # How long it keeps 5-minute rows by default; hours are for ever.
    fine=timedelta(days=10),
)
