"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "8475a2c93a85"
