"""The pages of a household's own home at its host: its session alone says which home that is."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from aiohttp import web

from consometers_node.host.accounts.homes import HomeFault
from consometers_node.host.accounts.terms import VERSION
from consometers_node.host.homes.waking import MOST_AWAKE
from consometers_node.household.node import HomeNode
from consometers_node.web.core.access import Handler
from consometers_node.web.core.csrf import FormTokens
from consometers_node.web.core.page_base import RequestRefused
from consometers_node.web.core.request_context import Person
from consometers_node.web.core.session_pages import SessionContext
from consometers_node.web.household.page_base import Pages
from consometers_node.web.household.routes import OfPages

from .page_base import COOKIES, SpacePages

HOME: Final = "/home"
"""The path of a home's pages."""


class Household:
    """The household of a space, which may change everything in its home."""

    def __init__(self, name: str) -> None:
        self._person = Person(name, name, is_admin=True)

    async def of_request(self, _request: web.Request) -> Person:
        return self._person

    def name(self, user_id: str) -> str:
        return user_id


class OpenHomes:
    """The pages of the homes that were opened last, each with what its household has under way."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._pages: OrderedDict[str, Pages] = OrderedDict()

    def pages(self, name: str, node: HomeNode) -> Pages:
        """Return the pages of the home of a space, which is open."""
        pages = self._pages.pop(name, None)
        if pages is None or pages.node is not node:
            pages = Pages(node, _tokens, self._version, people=Household(name), base=HOME)
        self._pages[name] = pages
        if len(self._pages) > MOST_AWAKE:
            self._pages.popitem(last=False)
        return pages


def of_the_asking(pages: SpacePages) -> Callable[[OfPages], Handler]:
    """Return what makes a handler of a home's pages answer each household with its own home."""
    homes = OpenHomes(pages.version)

    def bind(make: OfPages) -> Handler:
        async def enter(pages: SpacePages, context: SessionContext) -> web.StreamResponse:
            space = await pages.space(context)
            if space.terms_version != VERSION:
                return context.go("terms")
            try:
                async with pages.host.homes.open(space.address) as node:
                    home = homes.pages(space.name, node)
                    return await home.middleware(context.request, make(home))
            except HomeFault as fault:
                raise RequestRefused(503, fault.text) from fault

        return pages.looks(enter)

    return bind


def _tokens(request: web.Request) -> FormTokens:
    """Return the tokens of a session's forms."""
    return FormTokens(COOKIES.key_of(request))
