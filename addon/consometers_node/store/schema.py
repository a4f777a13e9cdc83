"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "c909f4c35681"
