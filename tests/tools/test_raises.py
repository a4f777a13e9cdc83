"""Exceptions that docstrings name."""

import ast
from pathlib import Path

from tools.raises import missing

SOURCE = '''
class BadValue(ValueError):
    pass

class Colour:
    pass

def read():
    """Read a file. Raises OSError, {name}, and `BadValue`."""
'''


def missing_in(path: str, name: str) -> list[str]:
    return list(missing({Path(path): ast.parse(SOURCE.replace("{name}", name))}))


def test_an_exception_that_does_not_exist_is_found() -> None:
    assert missing_in("read.py", "Unreadable") == ["read.py:9: Unreadable"]


def test_a_class_that_is_no_exception_is_found() -> None:
    assert missing_in("read.py", "Colour") == ["read.py:9: Colour"]


def test_builtins_and_exceptions_of_the_tree_exist() -> None:
    assert not missing_in("read.py", "KeyError")


def test_an_exception_of_tests_does_not_exist_for_others() -> None:
    trees = {
        Path("read.py"): ast.parse('"""Raises Refused."""'),
        Path("tests/read.py"): ast.parse('"""Raises Refused."""\nclass Refused(Exception): ...'),
    }
    assert list(missing(trees)) == ["read.py:1: Refused"]
