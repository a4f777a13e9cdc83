"""Which version of the node runs."""

from importlib.metadata import PackageNotFoundError, version as version_of


def version() -> str:
    """Return the version that is installed."""
    try:
        return version_of("consometers-node")
    except PackageNotFoundError:
        return "checkout"
