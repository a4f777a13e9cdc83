"""Which tables and rules this node works with. Written by `script/lib/run tools.tables`."""

SCHEMA = "dad52d28e1f8"
