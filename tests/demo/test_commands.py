"""Commands to a whole are those to its parts."""

from dataclasses import dataclass, field

import pytest

from demo.commands import Command, CommandError, Commands


@dataclass
class Door:
    opened: list[str] = field(default_factory=list)


@dataclass
class House:
    door: Door = field(default_factory=Door)


DOORS = Commands[Door](Command("open HOW", "", lambda door, how: door.opened.extend(how)))


def door_of(house: House) -> Door:
    return house.door


HOUSES = Commands[House](*DOORS.of(door_of))


async def test_a_part_obeys_what_is_said_to_the_whole() -> None:
    house = House()
    await HOUSES.obey(house, "open wide")
    assert house.door.opened == ["wide"]


async def test_what_no_part_knows_is_refused() -> None:
    with pytest.raises(CommandError, match="open HOW"):
        await HOUSES.obey(House(), "close")
