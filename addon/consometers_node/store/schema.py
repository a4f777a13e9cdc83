"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "31f290b973b7"
