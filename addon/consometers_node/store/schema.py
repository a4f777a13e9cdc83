"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "26fcb801a0a5"
