"""One meter in Home Assistant: its link, what is derived from it, its entities."""
