"""The reader's own checks: its types, and its tests by Node's runner."""

from .programs import READER, run


def test_types_are_strict_and_right() -> None:
    run(["node_modules/.bin/tsc"])


def test_all_unit_tests_pass() -> None:
    tests = sorted(str(file.relative_to(READER)) for file in READER.glob("build/tests/*.js"))
    assert len(tests) == len([*READER.glob("tests/*.test.ts")])
    run(["node", "--test", *tests])
