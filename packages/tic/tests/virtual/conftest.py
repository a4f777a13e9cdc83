"""What the tests of the virtual meter share."""

# Ports are opened at 7E1.
import consometers_tic_virtual.port.tty_parity  # noqa: F401
