"""How long each surface is tried: some examples in the ordinary run, ten minutes in the full one.

The ordinary run tries the same examples each time, the full run (`CI_FULL=1`) others each time.
"""

from collections.abc import Callable, Iterable
import gc
import resource
from time import monotonic, thread_time

from hypothesis import HealthCheck, given, settings, strategies as st

from consometers_node.i18n.text import Text
from testing.run import FULL

FULL_S = {
    "bytes": 30,
    "elements": 70,
    "records": 30,
    "texts": 20,
    "need files": 30,
    "archives": 30,
    "dates": 10,
    "stanzas of a home": 80,
    "stanzas of a collective": 80,
    "invitations": 20,
    "settings": 40,
    "heads of a home": 40,
    "heads of public pages": 40,
    "heads of an administration": 40,
    "database files": 40,
}
"""Seconds of the full run, by surface: ten minutes together."""

MOST_CPU_S = 2.0
"""Of one example. What an attacker sends is bounded, and so is the work that it makes."""
MOST_MEMORY_KIB = 256 * 1024
"""By which the process may grow over one example. What Hypothesis remembers is not counted."""

settings.register_profile(
    "fuzz",
    deadline=None,
    database=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    "full", settings.get_profile("fuzz"), derandomize=False, max_examples=1_000
)


def explore(
    surface: str,
    examples: int,
    check: Callable[..., None],
    *strategies: st.SearchStrategy[object],
    regressions: Iterable[tuple[object, ...]] = (),
) -> None:
    """Try a check on stored inputs, then on examples. It raises where the check fails."""

    def bounded(values: tuple[object, ...]) -> None:
        before = _peak_kib()
        began = thread_time()
        check(*values)
        spent = thread_time() - began
        grown = _peak_kib() - before
        assert spent < MOST_CPU_S, f"{surface} took {spent:.1f} s of CPU"
        assert grown < MOST_MEMORY_KIB, f"{surface} took {grown} KiB"

    limits = settings.get_profile("full" if FULL else "fuzz")
    tried = settings(limits, max_examples=limits.max_examples if FULL else examples)(
        given(st.tuples(*strategies))(bounded)
    )
    # To look for garbage among what other tests left takes seconds, and is no example's work.
    gc.freeze()
    try:
        for values in regressions:
            bounded(values)
        until = monotonic() + FULL_S[surface]
        tried()
        while FULL and monotonic() < until:
            tried()
    finally:
        gc.unfreeze()


def check_words(words: Text) -> None:
    """Check that a person can read why something was refused, in both languages."""
    for language in ("en", "fr"):
        assert words.say(language)


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
