"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "5d307af8e443"
