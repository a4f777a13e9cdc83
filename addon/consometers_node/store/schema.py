"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "aa366c46a9de"
