"""What all tests share."""

# First, while the test plugin's own package of that name is not on the path yet.
import custom_components  # noqa: F401
