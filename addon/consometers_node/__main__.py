"""`python -m consometers_node` is `consometers-node`."""

from .cli.app import main

main()
