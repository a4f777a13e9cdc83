"""One solar inverter in Home Assistant: SunSpec over Modbus TCP."""
