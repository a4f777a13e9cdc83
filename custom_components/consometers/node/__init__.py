"""The household's node in Home Assistant: what it shares, and the state of that."""
