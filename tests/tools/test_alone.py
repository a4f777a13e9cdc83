"""Programs that read or play a meter load the protocol, and not Home Assistant."""

import os
from pathlib import Path
import subprocess
import sys

import pytest

from tests.deadline import DEADLINE_S

ROOT = Path(__file__).parents[2]
PROGRAM = """
from importlib import import_module
import sys

import_module(sys.argv[1])
from custom_components.consometers.tic import Mode

print(Mode.STANDARD, "homeassistant.components" in sys.modules)
"""


@pytest.mark.parametrize(
    "module", ["demo.house", "demo.inverter", "demo.meter", "tools.tic.screen"]
)
def test_programs_load_without_home_assistant(tmp_path: Path, module: str) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    path = os.pathsep.join(map(str, (tmp_path, ROOT, ROOT / "addon")))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tools.alone", "program", module],
        env={**os.environ, "PYTHONPATH": path},
        text=True,
        check=False,
        capture_output=True,
        timeout=DEADLINE_S,
    )
    assert (done.stdout, done.stderr) == ("standard False\n", "")
