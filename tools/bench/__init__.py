"""script/bench: what things cost. A module is a subcommand: `main(arguments)` gives the status."""
