"""The reader's own checks: its types, and its tests by Node's runner."""

import json
import re

from testing.reader import READER, run


def test_libraries_are_pinned_by_version_and_hash_and_name_no_registry() -> None:
    package, lock = (
        json.loads((READER / name).read_text()) for name in ("package.json", "package-lock.json")
    )
    wanted = package["dependencies"] | package["devDependencies"]
    assert [version for version in wanted.values() if not re.fullmatch(r"[\d.]+", version)] == []
    locked = {path: library for path, library in lock["packages"].items() if path}
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert all(library["integrity"] for library in locked.values())
    assert "resolved" not in {key for library in locked.values() for key in library}


def test_types_are_strict_and_right() -> None:
    run(["node_modules/.bin/tsc"])


def test_all_unit_tests_pass() -> None:
    tests = sorted(str(file.relative_to(READER)) for file in READER.glob("build/tests/*.js"))
    assert len(tests) == len([*READER.glob("tests/*.test.ts")])
    run(["node", "--test", *tests])
