"""A settings file of any role: keys declared as typed fields, read and written as TOML."""
