"""Runs a command: its output, its errors, its exit status."""

import asyncio
from collections.abc import Sequence
import sys

from .arguments import parse
from .errors import FAILED, INTERRUPTED, command_error_of
from .output import Output, prepare_streams
from .words import Language

SUCCESS = 0


def run(arguments: Sequence[str], language: Language) -> int:
    """Run a command to its end, and return the exit status."""
    prepare_streams()
    output = Output(language, as_json="--json" in arguments)
    try:
        status = _status(arguments, output)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader closed the pipe: what Python would still flush has nowhere to go.
        sys.stdout = sys.stderr
        return FAILED
    return status


def _status(arguments: Sequence[str], output: Output) -> int:
    try:
        typed = parse(arguments, output.language)
        asyncio.run(typed.run(typed, output))
    except SystemExit:
        return SUCCESS  # Help was printed.
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if (command_error := command_error_of(error, output.language)) is None:
            raise
        return output.complain(command_error)
    return SUCCESS
