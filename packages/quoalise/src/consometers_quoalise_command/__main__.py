"""quoalise COMMAND [ARGUMENT …] --account JID."""

import os
import sys

from .words import Language, say


def main() -> int:
    """Run the command that was typed; return the exit status."""
    language = Language.of(os.environ)
    try:
        from .program import run
    except ModuleNotFoundError as error:
        print(say("no_extra", language, module=error.name), file=sys.stderr)
        return 1
    return run(sys.argv[1:], language)


if __name__ == "__main__":
    sys.exit(main())
