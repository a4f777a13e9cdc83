"""script/bench SUBCOMMAND [ARGUMENT...]."""

from importlib import import_module
import sys

SUBCOMMANDS = {
    "tic": ("meter.tic", "decoding: against another library, and microseconds per frame"),
    "corruption": (
        "meter.corruption",
        "how many altered groups pass each check, on lines of several kinds of noise",
    ),
    "quoalise": (
        "network.quoalise",
        "reading and writing a message of records, against the bare XML",
    ),
    "node": ("home.node", "what a home's node takes of memory with nothing to do"),
    "host": ("home.hosting", "what homes take of a host: asleep, over awake and a bare file"),
    "collective": (
        "collective.ingestion",
        "what thousands of members push, until it is kept: against a bare sink",
    ),
    "closing": (
        "collective.closing",
        "closing an hour of 100,000 homes, and after 5 years: against a bare read",
    ),
    "attackers": (
        "collective.attackers",
        "what lying members learn of a home, and how many hours are hidden",
    ),
    "region": (
        "collective.region",
        "100,000 homes, 20 cooperatives, a region: what each level costs a day",
    ),
    "protected": (
        "collective.protected",
        "masking, opening and adding up 24 hours of 100,000 homes: against bare HMACs",
    ),
    "stanzas": (
        "network.stanzas",
        "CPU that the costliest stanza takes of Prosody and ejabberd: over an honest one",
    ),
    "pages": (
        "home.pages",
        "pages of a home with 20 series, of a collective with 10,000 members: milliseconds",
    ),
    "surplus": (
        "home.surplus",
        "how often a forecast of a collective's surplus is right: against persistence",
    ),
    "soak": (
        "meter.soak",
        "hours of a bad line, accelerated: wrong values shown, longest recovery",
    ),
}


def main() -> int:
    """Run a subcommand; give its status."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in SUBCOMMANDS:
        status: int = import_module(f"tools.bench.{SUBCOMMANDS[name][0]}").main(arguments)
        return status
    asked = name in ("-h", "--help")
    print("script/bench SUBCOMMAND [ARGUMENT...]", file=sys.stdout if asked else sys.stderr)
    for subcommand, (_, what) in SUBCOMMANDS.items():
        print(f"  {subcommand:11} {what}", file=sys.stdout if asked else sys.stderr)
    return 0 if asked else 2


if __name__ == "__main__":
    sys.exit(main())
