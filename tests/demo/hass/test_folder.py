import json
from pathlib import Path
import socket
import subprocess
import sys

import pytest

from demo.hass.folder import free_port, make_folder
from testing.checkout import ROOT


def stored(folder: Path, key: str) -> dict[str, object]:
    content = json.loads((folder / ".storage" / key).read_text())
    assert content["key"] == key
    data = content["data"]
    assert isinstance(data, dict)
    return data


def test_a_new_home_is_reached_on_loopback_only_and_finds_our_integration(tmp_path: Path) -> None:
    make_folder(tmp_path, port=8199, language="fr")
    assert (tmp_path / "custom_components" / "consometers" / "manifest.json").exists()
    http = stored(tmp_path, "http")["stable"]
    assert isinstance(http, dict)
    assert (http["server_host"], http["server_port"]) == (["127.0.0.1"], 8199)
    assert "http:" not in (tmp_path / "configuration.yaml").read_text()


def test_an_existing_home_keeps_its_users_and_language(tmp_path: Path) -> None:
    make_folder(tmp_path, port=8199, language="fr")
    (tmp_path / ".storage" / "auth").write_text("{}")
    make_folder(tmp_path, port=8200, language="en")
    assert stored(tmp_path, "core.config")["language"] == "fr"
    http = stored(tmp_path, "http")["stable"]
    assert isinstance(http, dict)
    assert http["server_port"] == 8200
    assert (tmp_path / ".storage" / "auth").exists()


@pytest.mark.usefixtures("socket_enabled")
def test_free_ports_are_distinct_and_below_the_ephemeral_range() -> None:
    ports = [free_port() for _ in range(400)]
    assert len(set(ports)) == len(ports)
    with socket.socket() as anybody:
        anybody.bind(("127.0.0.1", 0))
        assert min(ports) >= 1024
        assert max(ports) < anybody.getsockname()[1]


@pytest.mark.usefixtures("socket_enabled")
def test_the_usual_port_is_preferred_if_it_is_free() -> None:
    usual = free_port()
    assert free_port(usual) == usual
    with socket.create_server(("127.0.0.1", usual)):
        assert free_port(usual) not in (0, usual)


@pytest.mark.usefixtures("socket_enabled")
def test_a_port_is_reserved_while_its_program_lives() -> None:
    reserving = "from demo.hass import free_port\nprint(free_port(), flush=True)\ninput()"
    with subprocess.Popen(
        (sys.executable, "-c", reserving),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        theirs = int(other.stdout.readline())
        assert free_port(theirs) not in (0, theirs)
        other.communicate("\n")
    assert free_port(theirs) == theirs
