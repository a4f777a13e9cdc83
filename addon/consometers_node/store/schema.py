"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "6b45d447c54b"
