"""Templates."""

from jinja2 import Environment
import pytest

from consometers_node.web.rendering import TEMPLATES, environment


@pytest.mark.parametrize("name", [file.name for file in TEMPLATES.glob("*.html")])
def test_every_template_can_be_read(name: str) -> None:
    made: Environment = environment()
    made.get_template(name)
