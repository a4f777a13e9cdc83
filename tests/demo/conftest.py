"""What the tests of the show house share."""

# Ports are opened at 7E1.
import demo.tty_parity  # noqa: F401
