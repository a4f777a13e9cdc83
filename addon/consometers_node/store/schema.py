"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "b025c92422f9"
