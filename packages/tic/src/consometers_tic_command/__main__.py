"""tic [--mode MODE] [--json] SOURCE."""

import argparse
import asyncio
import os
import signal
import sys
from time import monotonic
from typing import Protocol

from consometers_tic import Counters, Decoder, Frame, Mode

# A virtual meter sends through a pseudo-terminal, which has no parity.
import consometers_tic_virtual.port.tty_parity  # noqa: F401

from .source import Source, open_source
from .trouble import Trouble
from .words import Language, say

OK, NO_FRAME, UNREADABLE = 0, 1, 2


class Output(Protocol):
    """Where frames go."""

    def show(self, frames: list[Frame], counters: Counters) -> None:
        """Take the frames that came, maybe none."""

    def end(self, counters: Counters) -> None:
        """Take the last counters."""


def main() -> int:
    """Read a source until it ends or is seen enough of; give the exit status."""
    language = Language.of(os.environ)
    arguments = _arguments(language)
    mode = None if arguments.mode == "auto" else Mode(arguments.mode)
    try:
        return asyncio.run(_run(arguments.source, mode, language, as_json=arguments.json))
    except BrokenPipeError:
        # The reader of our output has seen enough of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except ModuleNotFoundError as error:
        print(say("no_extra", language, module=error.name), file=sys.stderr)
        return UNREADABLE


def _arguments(language: Language) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tic",
        description=say("description", language),
        epilog=say("epilog", language),
    )
    parser.add_argument("source", metavar="SOURCE", help=say("source", language))
    modes = ("auto", *Mode)
    parser.add_argument("--mode", choices=modes, default="auto", help=say("mode", language))
    parser.add_argument("--json", action="store_true", help=say("json", language))
    return parser.parse_args()


async def _run(name: str, mode: Mode | None, language: Language, *, as_json: bool) -> int:
    from consometers_tic.link import LinkError, LinkLost

    from .serial import complaint

    decoder = Decoder(mode)
    try:
        async with open_source(name, mode) as source:
            output = _output(source, language, as_json=as_json)
            lost = None
            try:
                await _read(source, decoder, output, language)
            except LinkLost as error:
                lost = error
            output.show(decoder.close(), decoder.counters)
            output.end(decoder.counters)
    except BrokenPipeError:
        raise
    except (OSError, LinkError) as error:
        print(complaint(error, name, language), file=sys.stderr)
        return UNREADABLE
    if lost is not None:
        print(complaint(lost, name, language), file=sys.stderr)
    if decoder.counters.frames:
        return OK
    if not source.live:
        print(say("no_frame", language, source=name), file=sys.stderr)
    return NO_FRAME


def _output(source: Source, language: Language, *, as_json: bool) -> Output:
    if as_json:
        from .jsonl import JsonLines

        return JsonLines(sys.stdout)
    from rich.console import Console

    from .screen import Screen

    console = Console()
    live = source.live and console.is_terminal
    return Screen(console, language, live=live, baud=lambda: source.baud)


async def _read(source: Source, decoder: Decoder, output: Output, language: Language) -> None:
    """Read until the end, or until one asks to stop."""
    task = asyncio.current_task()
    for stop in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(stop, task.cancel if task else sys.exit)
    trouble = Trouble(monotonic())
    printed = None
    try:
        async for data in source.chunks(decoder.counters):
            output.show(decoder.feed(data), decoder.counters)
            trouble.update(decoder.counters, monotonic())
            if source.live and trouble.key not in (None, printed) and not sys.stdout.isatty():
                printed = trouble.key
                print(say(trouble.key, language), file=sys.stderr)
            await asyncio.sleep(0)
    except asyncio.CancelledError:
        return


if __name__ == "__main__":
    sys.exit(main())
