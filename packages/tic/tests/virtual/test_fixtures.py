"""The fixtures that the library offers to others' tests."""

from collections.abc import Callable
from pathlib import Path
import socket
import threading
from typing import NoReturn

import pytest

from consometers_tic import Decoder, Frame, Mode
from consometers_tic_virtual import Faults, ThreadedLinky, VirtualLinky
from consometers_tic_virtual.pytest_plugin import NOON, StartLinky
from packages.tic.tests.deadline import DEADLINE_S
from packages.tic.tests.meters import linky


def heard(receive: Callable[[int], bytes]) -> Frame:
    """Return the first whole frame without a fault."""
    decoder = Decoder()
    while data := receive(4096):
        for frame in decoder.feed(data):
            if frame.correct:
                return frame
    raise EOFError


def on_tcp(port: str) -> Frame:
    number = int(port.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", number), DEADLINE_S) as connection:
        return heard(connection.recv)


def on_pty(port: str) -> Frame:
    with Path(port).open("rb", buffering=0) as file:
        return heard(file.read)


def test_a_meter_is_heard_on_each_kind_of_port(
    linky_on_pty: ThreadedLinky, linky_on_tcp: ThreadedLinky
) -> None:
    frames = on_pty(linky_on_pty.port), on_tcp(linky_on_tcp.port)
    for frame in frames:
        assert frame.mode is Mode.STANDARD
        assert frame.groups["DATE"].time is not None
        assert frame.groups["DATE"].time.date() == NOON.date()


def test_a_test_starts_the_meters_that_it_wants(start_linky: StartLinky) -> None:
    meter, noisy = linky(Mode.HISTORIQUE), Faults(lost=1.0)
    running, silent = start_linky(meter, speed=60), start_linky(speed=60, faults=noisy)
    assert on_pty(running.port).mode is Mode.HISTORIQUE
    silent.do(lambda each: setattr(each.line, "faults", Faults()))
    assert on_pty(silent.port).mode is Mode.STANDARD
    assert running.port != silent.port


def test_a_dongle_that_is_plugged_in_again_has_its_path(linky_on_pty: ThreadedLinky) -> None:
    linky_on_pty.do(VirtualLinky.unplug)
    assert not Path(linky_on_pty.port).exists()
    linky_on_pty.do(VirtualLinky.plug)
    assert on_pty(linky_on_pty.port).correct


def test_what_an_action_raises_reaches_the_test(linky_on_pty: ThreadedLinky) -> None:
    def fail(_: VirtualLinky) -> NoReturn:
        raise LookupError

    with pytest.raises(LookupError):
        linky_on_pty.do(fail)


def test_a_port_that_cannot_be_made_is_an_error_and_leaves_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    (tmp_path / "mine").touch()
    with (
        pytest.raises(FileExistsError),
        ThreadedLinky(VirtualLinky(linky(), link=tmp_path / "mine")),
    ):
        pass
    assert threading.active_count() == before
