"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "c3f35936b33b"
