"""What the tests of the show house share."""

# First: serialx keeps what it finds when it is imported.
import demo.tty_parity  # noqa: F401
