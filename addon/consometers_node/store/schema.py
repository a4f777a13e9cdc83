"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "9a0a76dd32e1"
