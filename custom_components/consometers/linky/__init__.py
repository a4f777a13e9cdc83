"""One meter in Home Assistant: its link, its derived values, its entities."""
