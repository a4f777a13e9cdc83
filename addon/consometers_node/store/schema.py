"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "53a8f36d2aa9"
