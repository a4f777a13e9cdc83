"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "3c0321aa35bb"
