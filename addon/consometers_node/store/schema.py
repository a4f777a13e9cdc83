"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "2ca89336a17e"
