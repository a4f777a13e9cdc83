"""Whether the library is installed, or tried in the checkout of which it is a part."""

from importlib.metadata import PackageNotFoundError, distribution
from typing import Final


def _is_installed() -> bool:
    try:
        distribution("consometers-enedis-files")
    except PackageNotFoundError:
        return False
    return True


INSTALLED: Final = _is_installed()
