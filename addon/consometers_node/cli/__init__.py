"""The command line `consometers-node`: the only place where everything is put together."""
