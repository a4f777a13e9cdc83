"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "53aaad9cd4e0"
