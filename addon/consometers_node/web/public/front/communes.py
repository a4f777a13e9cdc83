"""The map of the communes in which members are, as they are published."""

from collections.abc import Sequence

from consometers_node.collective.publication.reading.queries import Place
from consometers_node.store.collective.groups import GroupKind
from consometers_node.web.public.drawing.commune_map import CommuneMap, Plane, draw_map


def map_of(plane: Plane, areas: Sequence[Place]) -> CommuneMap | None:
    """Draw published communes with their numbers in a list; several together have the same."""
    numbers = {
        commune: number
        for number, place in enumerate(areas, 1)
        if place.kind is not GroupKind.REST
        for commune in place.parts or (place.name,)
    }
    return draw_map(plane, numbers)
