"""The add-on's container as the Supervisor runs it, in the network of the test.

`Docker` runs a built image. `Debian` needs none: it runs what the Dockerfile puts into one, in
namespaces of its own, under Debian's s6 and `overlay/` in place of s6-overlay.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
import json
import os
from pathlib import Path
import re
import shutil
import signal
import subprocess
import sys
from typing import Final, override

from demo.servers.supervisor import ADDON
from testing.addon.installed import Installed
from testing.checkout import ROOT
from testing.deploy.box import Specification, unprivileged

OVERLAY: Final = Path(__file__).with_name("overlay")
BUNDLE: Final = "/etc/s6-overlay/user-bundles.d/user/contents.d"
DOCKERFILE: Final = (ADDON / "Dockerfile").read_text().replace("\\\n", " ")
_LAST: Final = DOCKERFILE.rpartition("\nFROM ")[2]
(_check,) = re.findall(r"^HEALTHCHECK .*? CMD (\[.*\])$", _LAST, re.MULTILINE)
HEALTH_CHECK: Final[Sequence[str]] = json.loads(_check)
VARIABLES: Final = dict(
    pair.split("=", 1)
    for line in re.findall(r"^ENV (.*)$", _LAST, re.MULTILINE)
    for pair in line.split()
)
CHECKED_WITHIN_S: Final = 10
"""As the image says, after which an engine counts the check as failed."""
STOPPED_WITHIN_S: Final = 10
"""The Supervisor kills what has not ended by then."""


class Container(ABC):
    """The add-on in its container, with its data in a folder of the test."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.data.mkdir(parents=True)

    def choose(self, **options: str) -> None:
        """Write the options, as the Supervisor does before it starts an add-on."""
        (self.data / "options.json").write_text(json.dumps(options))

    def is_healthy(self) -> bool:
        """Return whether the image's health check succeeds."""
        with suppress(subprocess.TimeoutExpired):
            return self.execute(*HEALTH_CHECK, within_s=CHECKED_WITHIN_S).returncode == 0
        return False

    def signal_node(self, option: str) -> None:
        """Send the node itself a signal, by an option of s6-svc."""
        done = self.execute("s6-svc", option, "/run/service/consometers")
        assert done.returncode == 0, done.stderr

    @abstractmethod
    def start(self, environment: Mapping[str, str]) -> None: ...

    @abstractmethod
    def execute(
        self, *command: str, within_s: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program beside the node."""

    @abstractmethod
    def stop(self) -> int:
        """End it as the Supervisor does, and return its status: 137 where it had to be killed."""

    @abstractmethod
    def status(self) -> int | None:
        """Return the status with which it ended; None while it runs."""

    @abstractmethod
    def log(self) -> str: ...

    @abstractmethod
    def remove(self) -> None: ...


class Docker(Container):
    """A built image."""

    def __init__(self, image: str, data: Path) -> None:
        super().__init__(data)
        self._image = image
        self._name = ""

    @override
    def start(self, environment: Mapping[str, str]) -> None:
        variables = [word for pair in environment.items() for word in ("--env", "=".join(pair))]
        options = ("--detach", "--network", "host", "--volume", f"{self.data}:/data", *variables)
        self._name = self._docker("run", *options, self._image).stdout.strip()

    @override
    def is_healthy(self) -> bool:
        """Return what the engine says too: it runs the check by itself."""
        state = self._inspect("{{.State.Health.Status}}")
        return state != "starting" and super().is_healthy()

    @override
    def execute(
        self, *command: str, within_s: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        words = ("docker", "exec", self._name, *command)
        return subprocess.run(words, capture_output=True, text=True, timeout=within_s, check=False)

    @override
    def stop(self) -> int:
        self._docker("stop", "-t", str(STOPPED_WITHIN_S), self._name)
        status = self.status()
        assert status is not None
        return status

    @override
    def status(self) -> int | None:
        running, status = self._inspect("{{.State.Running}} {{.State.ExitCode}}").split()
        return None if running == "true" else int(status)

    @override
    def log(self) -> str:
        done = self._docker("logs", self._name)
        return done.stdout + done.stderr

    @override
    def remove(self) -> None:
        if self._name:
            self._docker("rm", "--force", self._name)

    def _inspect(self, form: str) -> str:
        return self._docker("inspect", "--format", form, self._name).stdout.strip()

    @staticmethod
    def _docker(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(("docker", *words), capture_output=True, text=True, check=True)


class Debian(Container):
    """What the Dockerfile puts into the image, on this system."""

    def __init__(self, installed: Installed, data: Path) -> None:
        super().__init__(data)
        self._installed = installed
        self._place = data.parent / "place"
        self._place.mkdir()
        self._log = data.parent / "log"
        self._box: subprocess.Popen[bytes] | None = None
        (loads,) = re.findall(r"python -c '(import consometers_node.*?)'", _LAST)
        python = installed.program.with_name("python")
        writes = os.environ | VARIABLES | {"PYTHONDONTWRITEBYTECODE": ""}
        subprocess.run((python, "-c", loads), env=writes, check=True)
        self._specification = self._specify({})

    @override
    def start(self, environment: Mapping[str, str]) -> None:
        self._specification = self._specify({**VARIABLES, **environment})
        file = self._specification.write(self._place.with_suffix(".json"))
        own = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
        with self._log.open("ab") as log:
            self._box = subprocess.Popen(
                [*own, sys.executable, "-m", "testing.deploy.box", str(file)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @override
    def execute(
        self, *command: str, within_s: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        into = ("nsenter", f"--target={self._first()}", "--mount", "--pid", "--root", "--wdns=/")
        return subprocess.run(
            [*into, *unprivileged(self._specification), *command],
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )

    @override
    def stop(self) -> int:
        assert self._box is not None
        os.kill(self._first(), signal.SIGTERM)
        try:
            return self._box.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.remove()
            return 128 + signal.SIGKILL

    @override
    def status(self) -> int | None:
        assert self._box is not None
        return self._box.poll()

    @override
    def log(self) -> str:
        return self._log.read_text()

    @override
    def remove(self) -> None:
        if self._box is not None and self._box.poll() is None:
            self._box.kill()
            self._box.wait()

    def _first(self) -> int:
        """Return the container's process 1."""
        assert self._box is not None
        children = Path(f"/proc/{self._box.pid}/task/{self._box.pid}/children").read_text().split()
        return int(children[0]) if children else 0

    def _specify(self, environment: Mapping[str, str]) -> Specification:
        copies = re.findall(r"^COPY ([^-\s]\S*) (\S+)$", _LAST, re.MULTILINE)
        (enabled,) = re.findall(r"^RUN (touch .*)$", _LAST, re.MULTILINE)
        bundle = self._place.with_name("bundle")
        bundle.mkdir(exist_ok=True)
        return Specification(
            place=str(self._place),
            command=["sh", "-ec", f"{enabled}; exec /init"],
            environment=dict(environment),
            user="0:0",
            groups=[],
            capabilities=[],
            files=[
                *((str(ADDON / source), target) for source, target in copies),
                (str(OVERLAY / "init"), "/init"),
                (str(OVERLAY / "with-contenv"), "/command/with-contenv"),
            ],
            volumes=[
                (str(self.data), "/data", False),
                (str(bundle), BUNDLE, False),
                (str(self._installed.folder), str(self._installed.folder), True),
            ],
            memory=["/run", "/tmp"],
            networks=None,
            hosts={},
            node=[str(self._installed.program)],
        )


def lacking() -> list[str]:
    """Return the programs without which `Debian` cannot run."""
    needed = ("curl", "jq", "nsenter", "s6-svscan", "setpriv", "unshare")
    return [name for name in needed if shutil.which(name) is None]
