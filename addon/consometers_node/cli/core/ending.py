"""How a command ends: its error is printed and becomes the exit status."""

from collections.abc import Callable
import sys

from .errors import INTERRUPTED, CliError, cli_error_of
from .output import Output


def exit_status(work: Callable[[], object], output: Output) -> int:
    """Do the work of a program, and return the status with which it ends."""
    try:
        status = work()
    except BrokenPipeError:
        # The reader closed the pipe: what Python would still flush has nowhere to go.
        sys.stdout = sys.stderr
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except CliError as error:
        return output.complain(error)
    except Exception as error:
        if (cli_error := cli_error_of(error)) is None:
            raise
        return output.complain(cli_error)
    return status if isinstance(status, int) else 0
