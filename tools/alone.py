"""Runs a program without Home Assistant: `python -m tools.alone MODULE [ARGUMENT...]`.

The meter's protocol is a part of the integration, whose own module loads Home Assistant: seconds
and 150 MB, of which a program that reads or plays a meter needs nothing. Here that module is empty.
"""

from pathlib import Path
import runpy
import sys
from types import ModuleType

_NAME = "custom_components.consometers"


def leave_out_home_assistant() -> None:
    """Have the integration's packages be imported from here on without what is around them."""
    integration = ModuleType(_NAME)
    integration.__path__ = [str(Path(__file__).parents[1].joinpath(*_NAME.split(".")))]
    sys.modules[_NAME] = integration


if __name__ == "__main__":
    leave_out_home_assistant()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
