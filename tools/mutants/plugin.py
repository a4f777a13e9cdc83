"""A pytest plugin that runs the tests for each mutant, in a process of its own.

Modules are loaded and tests collected once. A first process runs all tests, and notes which
functions each of them reaches. Then each mutant gets a fork, which runs the tests that reach its
function, first those that are fast and have noticed other changes of it, then the others in their
files, until one fails. What runs as modules load ran before the fork, without the mutant: where no
test of such a function fails, pytest starts again.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
import gc
from importlib import import_module
import json
import os
from pathlib import Path
import pickle
import resource
import signal
import sys
import time
from typing import Final

from hypothesis import Phase, settings
from mutmut.mutation import trampoline
from mutmut.state import state
import pytest

ASKED: Final = Path("mutants.json").absolute()
"""The names of all mutants, in the folder of the copy."""
ANSWERED: Final = Path("results.jsonl").absolute()
"""A line for each: its name, and what became of it."""
CHILDREN: Final = 2
_AGAIN: Final = "MUTANT"
"""The variable that names the mutant where pytest starts again."""
_NONE: Final = "stats"
"""mutmut's word for no mutant: functions that are reached say so."""
_EXAMPLES: Final = 20
"""How many hypothesis tries: a change that takes a hundred to notice needs its own test."""
_STARTED_S: Final = 10
"""To load everything again."""
_MOST_BYTES: Final = 4 << 30
_PROGRESS_S: Final = 20


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant, and the run of its tests: it returns the one that fails."""

    mutant: str
    run: Callable[[], str | None]


class Mutants:
    """Runs the tests of a session once for each mutant."""

    def __init__(self, config: pytest.Config) -> None:
        self._arguments = config.invocation_params.args
        self._seconds: dict[str, float] = defaultdict(float)
        self._at_import: set[str] = set()
        self._has_failed = False

    def pytest_collection_finish(self) -> None:
        self._at_import = reached()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration
        self._has_failed = self._has_failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Set hypothesis to a few examples, and to stop at any that fails: not for the simplest."""
        settings.register_profile(
            "mutants",
            settings(),
            max_examples=_EXAMPLES,
            phases=(Phase.explicit, Phase.generate),
            database=None,
        )
        settings.load_profile("mutants")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests without a mutant, then with each. Raises RuntimeError if they fail."""
        seconds, tests, modules = answer(lambda: self._listen(session.items))
        load(modules)
        self._at_import |= reached()
        gc.collect()
        gc.freeze()
        items = {item.nodeid: item for item in session.items}
        noticed: dict[str, Counter[int]] = defaultdict(Counter)
        trials = deque[Trial]()
        with ANSWERED.open("w", buffering=1) as answered:

            def note(mutant: str, word: str) -> None:
                answered.write(f"{json.dumps((mutant, word))}\n")

            for mutant in json.loads(ASKED.read_text()):
                function = function_of(mutant)
                reaching = tests.get(function, set())
                chosen = list(within(items, reaching))
                again = self._again(mutant, seconds) if function in self._at_import else None

                def run(
                    chosen: Sequence[str] = chosen,
                    reaching: Container[str] = reaching,
                    counts: Counter[int] = noticed[function],
                    again: Callable[[], None] | None = again,
                ) -> str | None:
                    order = sorted(
                        chosen, key=lambda each: (each not in reaching, cost(seconds, counts, each))
                    )
                    return self._run([(items[each], seconds[each]) for each in order], again)

                if chosen or again:
                    trials.append(Trial(mutant, run))
                else:
                    note(mutant, "no tests")
            for mutant, word, test in forks(trials):
                note(mutant, word)
                noticed[function_of(mutant)][test] += 1
        return True

    def _listen(
        self, items: Sequence[pytest.Item]
    ) -> tuple[dict[str, float], dict[str, set[str]], list[str]]:
        """Return how long each test takes, which tests reach a function, and loaded modules."""
        tests: dict[str, set[str]] = defaultdict(set)
        for item, following in zip(items, (*items[1:], None), strict=True):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._has_failed:
                raise RuntimeError(f"{item.nodeid} fails without a mutant")
            for function in reached():
                tests[function].add(item.nodeid)
        return dict(self._seconds), dict(tests), list(sys.modules)

    def _run(
        self, tests: Sequence[tuple[pytest.Item, float]], again: Callable[[], None] | None
    ) -> str | None:
        """Run these tests, which take so many seconds, and return the one that fails.

        If none does, have all tests run by another program.
        """
        items = [item for item, _ in tests]
        for (item, seconds), following in zip(tests, (*items[1:], None)[: len(items)], strict=True):
            bound(seconds)
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._has_failed:
                return item.nodeid
        if again:
            again()
        return None

    def _again(self, mutant: str, seconds: Mapping[str, float]) -> Callable[[], None]:
        """Return a run of all tests by a program that loads everything with the mutant."""

        def run() -> None:
            bound(_STARTED_S + sum(seconds.values()))
            program = [sys.executable, "-m", "pytest", "-x", *map(str, self._arguments)]
            os.execve(sys.executable, program, {**os.environ, _AGAIN: mutant})

        return run


def pytest_configure(config: pytest.Config) -> None:
    """Have the tests of this session run for each mutant, or for the one that is named."""
    trampoline.set_mutant_under_test(os.environ.get(_AGAIN, _NONE))
    if _AGAIN not in os.environ:
        config.pluginmanager.register(Mutants(config))


def get_mutant_under_test() -> str:
    """Return the name of the mutant, as `set_mutant_under_test` has set it.

    Each call of a changed function asks: mutmut's own looks into the environment twice.
    """
    name: str | None = vars(trampoline)["_mutant_under_test"]
    return name or ""


trampoline.get_mutant_under_test = get_mutant_under_test


def reached() -> set[str]:
    """Return the functions that were reached since the last call."""
    functions: set[str] = vars(state())["_stats"]
    since = set(functions)
    functions.clear()
    return since


def load(modules: Iterable[str]) -> None:
    """Load what tests load as they run, once for all forks: a second of each."""
    for module in modules:
        # Some of them can be loaded by another one alone.
        with suppress(Exception):
            import_module(module)


def function_of(mutant: str) -> str:
    """Return the name of the function that a mutant changes."""
    return mutant.partition("__mutmut_")[0]


def cost(seconds: Mapping[str, float], noticed: Mapping[int, int], test: str) -> float:
    """Return about how many seconds of this test notice one change."""
    return seconds[test] / (0.2 + noticed[hash(test)])


def bound(seconds: float) -> None:
    """Have this process end once a test takes many times the seconds that it should.

    Of the processor, it is in an endless loop; by the clock, it waits for ever. A busy machine is
    neither.
    """
    signal.setitimer(signal.ITIMER_PROF, 5 + 5 * seconds)
    signal.setitimer(signal.ITIMER_REAL, 300 + 20 * seconds)


def within(items: Iterable[str], reaching: Iterable[str]) -> Iterator[str]:
    """Yield the tests of the files in which some reach a function.

    The others may use what it returned once, where the program keeps it.
    """
    files = {each.partition("::")[0] for each in reaching}
    return (each for each in items if each.partition("::")[0] in files)


def answer[Answer](compute: Callable[[], Answer]) -> Answer:
    """Return what a fork computes. Raises RuntimeError where it fails."""
    receiving, sending = os.pipe()
    if not (child := os.fork()):
        with os.fdopen(sending, "wb") as pipe:
            pickle.dump(compute(), pipe)
        os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, "rb") as pipe:
        sent = pipe.read()
    if os.waitpid(child, 0)[1]:
        raise RuntimeError("the tests fail without a mutant")
    value: Answer = pickle.loads(sent)
    return value


def forks(trials: deque[Trial]) -> Iterator[tuple[str, str, int]]:
    """Yield what becomes of each mutant, and the hash of the test that noticed it."""
    count, spoken = len(trials), time.monotonic()
    running: dict[int, tuple[str, int]] = {}
    while trials or running:
        while trials and len(running) < CHILDREN:
            trial = trials.popleft()
            child, receiving = start(trial)
            running[child] = trial.mutant, receiving
        child, status = os.wait()
        mutant, receiving = running.pop(child)
        with os.fdopen(receiving) as pipe:
            test = int(pipe.read() or 0)
        code = os.waitstatus_to_exitcode(status)
        yield mutant, "survived" if code == 0 else "timeout" if code < 0 else "killed", test
        if time.monotonic() - spoken > _PROGRESS_S:
            spoken = time.monotonic()
            print(f"{count - len(trials)} of {count}", file=sys.stderr, flush=True)


def start(trial: Trial) -> tuple[int, int]:
    """Start a fork that ends with 0 if all tests pass, and with another status if one fails.

    Return it, and the end of a pipe into which it writes the hash of the name of the failing test.
    """
    receiving, sending = os.pipe()
    if child := os.fork():
        os.close(sending)
        return child, receiving
    status = 1
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, _MOST_BYTES))
        silent = os.open(os.devnull, os.O_WRONLY)
        for output in (1, 2):
            os.dup2(silent, output)
        trampoline.set_mutant_under_test(trial.mutant)
        if test := trial.run():
            # Its name may be longer than what a pipe holds.
            os.write(sending, str(hash(test)).encode())
        else:
            status = 0
    finally:
        os._exit(status)
