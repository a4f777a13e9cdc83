"""What the tests of the show house share."""

# Ports are opened at 7E1.
import consometers_tic_virtual.port.tty_parity
