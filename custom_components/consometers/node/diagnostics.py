"""Diagnostics of a node: how it runs, and nothing of who shares what."""

from dataclasses import fields
from typing import Any

from ..const import CONF_APP, CONF_KIND
from .api.answers import Collective, DayEnergy, DayRate, Node, Permission, Plant, Sums
from .coordinator import NodeCoordinator


async def diagnostics(coordinator: NodeCoordinator) -> dict[str, Any]:
    """Return the state of a node. Messages about problems may name somebody: they are left out."""
    entry = coordinator.config_entry
    return {
        "entry": {"kind": entry.data[CONF_KIND], "discovered": CONF_APP in entry.data},
        "available": coordinator.last_update_success,
        "listening": coordinator.listening,
        "error": getattr(coordinator.failure, "translation_key", None),
        "node": _node(coordinator.data),
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        "version": node.version,
        "has_account": node.account is not None,
        "online": node.online,
        "has_problem": node.problem is not None,
        "home_assistant": {
            "connected": node.home_assistant.connected,
            "has_problem": node.home_assistant.problem is not None,
        },
        "collectives": [_collective(collective) for collective in node.collectives],
    }


def _collective(collective: Collective) -> dict[str, Any]:
    return {
        "acknowledged_until": collective.acknowledged_until,
        "waiting": collective.waiting,
        "waiting_since": collective.waiting_since,
        "has_problem": collective.problem is not None,
        "permissions": [_permission(permission) for permission in collective.permissions],
        "plants": [_plant(plant) for plant in collective.plants or ()],
        "sums": None if collective.sums is None else _sums(collective.sums),
    }


def _sums(sums: Sums) -> dict[str, Any]:
    """Return which sums there are, and their times, not their values: they are others' too."""
    parts = {part.name: getattr(sums, part.name) for part in fields(sums)}
    parts["today"] = sums.today and sums.today.figures
    return {
        "until": None if sums.last is None else sums.last.end,
        "has_problem": parts.pop("problem") is not None,
        "known": {
            name: sorted(fact.name for fact in fields(part) if _is_known(getattr(part, fact.name)))
            for name, part in parts.items()
            if part is not None
        },
    }


def _is_known(fact: object) -> bool:
    return fact.value is not None if isinstance(fact, DayEnergy | DayRate) else fact is not None


def _plant(plant: Plant) -> dict[str, Any]:
    """Return the state of a plant, not how many shares somebody holds."""
    return {
        "corrected": plant.corrected,
        "until": None if plant.last is None else plant.last.end,
        "has_today": plant.today is not None,
        "has_month": plant.month is not None,
        "has_problem": plant.problem is not None,
    }


def _permission(permission: Permission) -> dict[str, Any]:
    return {
        "state": permission.state,
        "paused": permission.paused,
        "series": permission.series,
        "valid_until": permission.valid_until,
        "has_newer_version": permission.newer_version is not None,
    }
