"""The household's node in Home Assistant: what it shares, and how that goes."""
