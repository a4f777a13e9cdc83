"""The school: its Home Assistant, its past, its node, and who may read it."""
