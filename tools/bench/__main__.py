"""script/bench SUBCOMMAND [ARGUMENT...]."""

from importlib import import_module
import sys

SUBCOMMANDS = {
    "tic": "decoding: against another library, and microseconds per frame",
    "corruption": "how many altered groups pass each check, on lines of several kinds of noise",
    "quoalise": "reading and writing a message of records, against the bare XML",
    "hass": "what a home costs Home Assistant: recorder rows a day, CPU per frame and per poll",
    "node": "what a home's node takes of memory with nothing to do",
    "backfill": "years of a home from its Home Assistant to a peer: records a second, memory",
    "collective": "what thousands of members push, until it is kept: against a bare sink",
    "closing": "closing an hour of 100,000 homes, and after 5 years: against a bare read",
    "attackers": "what lying members learn of a home, and how many hours are hidden",
    "opening": "the past of 300 homes, a year, published at once: seconds",
    "region": "100,000 homes, 20 cooperatives, a region: what each level costs a day",
    "protected": "masking, opening and adding up 24 hours of 100,000 homes: against bare HMACs",
    "flood": "what members wait for a receipt while strangers send: beside them, over alone",
    "stanzas": "CPU that the costliest stanza takes of Prosody and ejabberd: over an honest one",
    "pages": "pages of a home with 20 series, of a collective with 10,000 members: milliseconds",
    "surplus": "how often a forecast of a collective's surplus is right: against persistence",
    "soak": "hours of a bad line, accelerated: wrong values shown, longest recovery",
}


def main() -> int:
    """Run a subcommand; give its status."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in SUBCOMMANDS:
        status: int = import_module(f"tools.bench.{name}").main(arguments)
        return status
    asked = name in ("-h", "--help")
    print("script/bench SUBCOMMAND [ARGUMENT...]", file=sys.stdout if asked else sys.stderr)
    for subcommand, what in SUBCOMMANDS.items():
        print(f"  {subcommand:11} {what}", file=sys.stdout if asked else sys.stderr)
    return 0 if asked else 2


if __name__ == "__main__":
    sys.exit(main())
