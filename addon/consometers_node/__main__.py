"""`python -m consometers_node` is `consometers-node`."""

from .cli import main

main()
