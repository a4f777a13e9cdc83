"""What hassfest reads of the code for the rules of the quality scale, in core's own files alone.

It follows no import: a step of a flow counts in config_flow.py, an entry's type by its name.
"""

import ast
from collections.abc import Iterator
import re

from homeassistant.const import Platform
import pytest

from .test_manifest import INTEGRATION, MANIFEST

DOORS: dict[str, tuple[str, ...]] = {
    "__init__": (
        "async_setup_entry",
        "async_unload_entry",
        "async_remove_entry",
        "async_remove_config_entry_device",
        "async_migrate_entry",
    ),
    "diagnostics": ("async_get_config_entry_diagnostics", "async_get_device_diagnostics"),
    **dict.fromkeys(map(str, Platform), ("async_setup_entry",)),
}
OPTIONS = "async_get_options_flow"


def module(name: str) -> ast.Module:
    return ast.parse((INTEGRATION / f"{name}.py").read_text())


def functions(name: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    return {
        node.name: node
        for node in ast.walk(module(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def called(name: str) -> set[str]:
    """Return the methods that a module calls."""
    return {
        node.func.attr
        for node in ast.walk(module(name))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }


def entries() -> Iterator[tuple[str, ast.arg]]:
    """Yield each door with the argument that is a config entry."""
    for name, doors in DOORS.items():
        if (INTEGRATION / f"{name}.py").exists():
            there = functions(name)
            for door in doors:
                if door in there:
                    yield f"{name}.{door}", there[door].args.args[1]
    yield f"config_flow.{OPTIONS}", functions("config_flow")[OPTIONS].args.args[0]


ENTRIES = dict(entries())


def test_runtime_data_is_set_where_an_entry_is_set_up() -> None:
    setup = functions("__init__")["async_setup_entry"]
    entry = ENTRIES["__init__.async_setup_entry"].arg
    stored = {
        ast.unparse(node)
        for node in ast.walk(setup)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    assert f"{entry}.runtime_data" in stored


@pytest.mark.parametrize("door", ENTRIES)
def test_each_door_names_the_type_of_its_entry(door: str) -> None:
    annotation = ENTRIES[door].annotation
    assert isinstance(annotation, ast.Name)
    assert re.fullmatch(r"[A-Za-z]+ConfigEntry", annotation.id)


def test_nothing_is_added_twice() -> None:
    calls = called("config_flow")
    assert (
        "_async_abort_entries_match" in calls
        or {
            "async_set_unique_id",
            "_abort_if_unique_id_configured",
        }
        <= calls
    )


@pytest.mark.parametrize("step", ["async_step_reauth", "async_step_reconfigure"])
def test_a_flow_has_the_steps_of_its_rules(step: str) -> None:
    assert isinstance(functions("config_flow")[step], ast.AsyncFunctionDef)


def test_what_the_manifest_discovers_has_its_step() -> None:
    assert "usb" in MANIFEST
    assert "async_step_usb" in functions("config_flow")


def test_an_entry_is_unloaded_and_tested_before_it_is_set_up() -> None:
    assert "async_unload_entry" in functions("__init__")
    raised = {
        ast.unparse(node.exc.func)
        for file in INTEGRATION.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    }
    assert raised & {"ConfigEntryNotReady", "ConfigEntryAuthFailed", "ConfigEntryError"}


def test_actions_are_registered_once_and_not_with_an_entry() -> None:
    setups = [functions("__init__")["async_setup_entry"]]
    setups += [functions(platform)["async_setup_entry"] for platform in platforms()]
    for setup in setups:
        assert "async_register" not in ast.unparse(setup)


def platforms() -> list[str]:
    return [platform for platform in Platform if (INTEGRATION / f"{platform}.py").exists()]


@pytest.mark.parametrize("platform", platforms())
def test_each_platform_says_how_many_updates_run_at_once(platform: str) -> None:
    assigned = [
        ast.unparse(node.targets[0])
        for node in module(platform).body
        if isinstance(node, ast.Assign)
    ]
    assert "PARALLEL_UPDATES" in assigned
