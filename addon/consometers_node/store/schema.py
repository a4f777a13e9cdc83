"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "d51c0aa0439c"
