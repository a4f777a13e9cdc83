"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "df8d75605e51"
