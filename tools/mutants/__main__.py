"""Checks that a test notices each change of a line that matters: script/mutants [ROOM...].

`mutmut` makes the changes, and `plugin.py` runs the tests, for each room in a copy of this checkout
in `.cache/mutants`.

What no test notices is an error, unless `equal.toml` beside this file says why the program does the
same with it; and so is an entry there that tests do notice, or that nothing makes any more.
"""

import argparse
import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
import contextlib
from dataclasses import dataclass
from difflib import unified_diff
import json
import os
from pathlib import Path
import resource
import shutil
import subprocess
import sys
import time
import tomllib
from typing import Final

from libcst import Module, parse_module
from mutmut.mutation.diff_apply import read_mutant_function, read_original_function
from mutmut.mutation.file_mutation import mutate_file_contents

from .rooms import ROOMS, Room

ROOT: Final = Path(__file__).parents[2]
WORK: Final = ROOT / ".cache/mutants"
EQUAL: Final = Path(__file__).with_name("equal.toml")
PLUGINS: Final = (("-p", "no:cacheprovider"), ("-p", "tools.mutants.plugin"))
_BRIEFLY: Final = ("--tb=native", "--assert=plain")
"""That a test fails is enough: to explain it takes longer than most of them."""
NOTICED: Final = ("killed", "timeout")
"""Of a mutant that made a test fail, or that ran without an end."""


@dataclass(frozen=True, slots=True)
class Change:
    """A mutant: a function by its full name, its lines and what stands there instead."""

    function: str
    line: str
    instead: str

    def __str__(self) -> str:
        return f"{self.function}\n  - {self.line}\n  + {self.instead}"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A function with a change, under the name by which it is chosen."""

    name: str
    change: Change


@dataclass(slots=True)
class Outcome:
    """What became of the mutants of a room: `killed`, `timeout`, `survived` or `no tests`."""

    seconds: float
    changes: dict[str, list[Change]]

    def count(self, *words: str) -> int:
        return sum(len(self.changes.get(word, [])) for word in words)


def main() -> int:
    """Try the rooms and print a table; 1 if a change goes unnoticed."""
    parser = argparse.ArgumentParser(prog="script/mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=", ".join(ROOMS))
    parser.add_argument("--only", default="", metavar="WORD", help="part of functions' names")
    arguments = parser.parse_args()
    if unknown := set(arguments.rooms) - ROOMS.keys():
        parser.error(f"no room is called {', '.join(sorted(unknown))}")
    equal = dict(read_equal(EQUAL))
    faults = 0
    outcomes = {}
    for name in arguments.rooms or ROOMS:
        print(f"{name}: …", flush=True)
        outcome = outcomes[name] = run(name, ROOMS[name], arguments.only)
        for fault in compare(outcome, equal):
            faults += 1
            print(fault, flush=True)
        if not arguments.only:
            for fault in misfits(outcome, ROOMS[name], equal):
                faults += 1
                print(fault, flush=True)
    print(table(outcomes, equal))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{used.ru_utime + used.ru_stime:.0f} s of processor")
    return faults > 0


def read_equal(path: Path) -> Iterator[tuple[Change, str]]:
    """Yield the changes that make no difference, each with the reason."""
    for entry in tomllib.loads(path.read_text()).get("equal", []):
        for line, instead in entry["changes"]:
            yield Change(entry["function"], line, instead), entry["reason"]


def run(name: str, room: Room, only: str) -> Outcome:
    """Try the room's mutants in a copy of the checkout, and return what became of them.

    Raises SystemExit with the end of the output where the tests fail without a mutant.
    """
    began = time.monotonic()
    workspace = WORK / name
    copy(workspace)
    mutants = [
        each for source in files(room) for each in mutate(workspace, source) if only in each.name
    ]
    (workspace / "mutants.json").write_text(json.dumps([each.name for each in mutants]))
    program = [*(sys.executable, "-m", "pytest"), *(word for each in PLUGINS for word in each)]
    # pytest-timeout would put its alarm in the place of ours.
    program += ["-o", "timeout=0", "--hypothesis-seed=0", "-k", "not postgresql", "-s"]
    program += [*_BRIEFLY, *room.tests]
    environment = {key: value for key, value in os.environ.items() if key != "CI_FULL"}
    with (workspace / "pytest.log").open("wb") as log:
        subprocess.run(
            program, cwd=workspace, env=environment | {"PYTHONPATH": ""}, stdout=log, check=False
        )
    results = workspace / "results.jsonl"
    lines = results.read_text().splitlines() if results.exists() else []
    words = dict(map(json.loads, lines))
    if missing := [each.name for each in mutants if each.name not in words]:
        end = (workspace / "pytest.log").read_text(errors="replace").splitlines()[-40:]
        raise SystemExit("\n".join((*end, f"{name}: {len(missing)} mutants were not tried")))
    changes: dict[str, list[Change]] = {}
    for each in mutants:
        changes.setdefault(words[each.name], []).append(each.change)
    return Outcome(time.monotonic() - began, changes)


def copy(workspace: Path) -> None:
    """Copy what git has and would have."""
    shutil.rmtree(workspace, ignore_errors=True)
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in listed.split("\0"):
        file = ROOT / name
        if name and (file.is_file() or file.is_symlink()):
            target = workspace / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target, follow_symlinks=False)


def files(room: Room) -> Iterator[Path]:
    """Yield the modules of a room, below the checkout."""
    for source in room.sources:
        path = ROOT / source
        yield from (
            each.relative_to(ROOT)
            for each in (sorted(path.rglob("*.py")) if path.is_dir() else [path])
        )


def mutate(workspace: Path, source: Path) -> Iterator[Mutant]:
    """Put all mutants of a module's functions into its copy, and yield them."""
    whole = undecorated((ROOT / source).read_text())
    with contextlib.chdir(ROOT):  # where mutmut reads its settings
        mutated = mutate_file_contents(str(source), whole)
    (workspace / source).write_text(mutated.code)
    tree = parse_module(mutated.code)
    for name in mutated.mutant_names:
        before, after = (
            Module([read(tree, name)]).code.strip().splitlines()
            for read in (read_original_function, read_mutant_function)
        )
        diff = list(unified_diff(before, after, n=0))[2:]
        removed, added = (
            " ".join(line[1:].strip() for line in diff if line[0] == sign) for sign in "-+"
        )
        function = name.partition("__mutmut_")[0].removeprefix("x_").removeprefix("xǁ")
        full = f"{module(str(source))}{function.replace('ǁ', '.')}"
        yield Mutant(f"{module(str(source))}{name}", Change(full, removed, added))


def undecorated(source: str) -> str:
    """Return the same module with `f = decorator(f)` in place of `@decorator`.

    mutmut leaves decorated functions alone.
    """
    lines = source.splitlines()
    for node in reversed(list(decorated(ast.parse(source)))):
        assert node.end_lineno is not None
        indent = " " * node.col_offset
        name = node.name
        for decorator in reversed(node.decorator_list):
            name = f"{ast.unparse(decorator)}({name})"
        lines.insert(node.end_lineno, f"{indent}{node.name} = {name}")
        del lines[node.decorator_list[0].lineno - 1 : node.lineno - 1]
    return "\n".join((*lines, ""))


def decorated(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield functions and methods whose decorators can be called after them, in order."""
    for statement in tree.body:
        for node in statement.body if isinstance(statement, ast.ClassDef) else [statement]:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.decorator_list:
                words = {ast.unparse(each) for each in node.decorator_list}
                if not words & {"staticmethod", "classmethod", "overload", f"{node.name}.setter"}:
                    yield node


def compare(outcome: Outcome, equal: Mapping[Change, str]) -> Iterator[str]:
    """Yield what no test noticed and nobody explained."""
    for word, changes in outcome.changes.items():
        if word not in NOTICED:
            yield from (f"{word}: {each}" for each in changes if each not in equal)


def misfits(outcome: Outcome, room: Room, equal: Iterable[Change]) -> Iterator[str]:
    """Yield the entries for a room that a test notices, or that nothing makes."""
    unnoticed = {
        each for word in outcome.changes.keys() - {"killed"} for each in outcome.changes[word]
    }
    killed = set(outcome.changes.get("killed", []))
    modules = tuple(map(module, room.sources))
    for each in equal:
        if each.function.startswith(modules) and each not in unnoticed:
            word = "a test notices it" if each in killed else "nothing makes it"
            yield f"{EQUAL.name}, {word}: {each}"


def module(source: str) -> str:
    """Return the beginning of the full names of what a file or folder has."""
    path = source.removeprefix("addon/").removeprefix("packages/tic/src/")
    return path.removesuffix(".py").replace("/", ".") + "."


def table(outcomes: Mapping[str, Outcome], equal: Mapping[Change, str]) -> str:
    """Return how many mutants of each room were noticed, make no difference, or went unnoticed."""
    lines = ["| room | mutants | noticed | equal | unnoticed | s |", "|---|--:|--:|--:|--:|--:|"]
    total = Counter[str]()
    for name, outcome in outcomes.items():
        counts = Counter(mutants=outcome.count(*outcome.changes))
        counts["noticed"] = outcome.count(*NOTICED)
        for word, changes in outcome.changes.items():
            if word not in NOTICED:
                for each in changes:
                    counts["equal" if each in equal else "unnoticed"] += 1
        counts["s"] = round(outcome.seconds)
        total += counts
        lines.append(row(name, counts))
    return "\n".join((*lines, row("all", total)))


def row(name: str, counts: Counter[str]) -> str:
    """Return a row of the table."""
    columns = ("mutants", "noticed", "equal", "unnoticed", "s")
    return f"| {name} | {' | '.join(str(counts[column]) for column in columns)} |"


if __name__ == "__main__":
    sys.exit(main())
