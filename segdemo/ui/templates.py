"""Fills the HTML templates in `templates/`; whatever is no HTML already is escaped."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from segdemo.ui.i18n import both, say, say_made

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_GLOBALS: dict[str, object] = {"say": say, "both": both, "say_made": say_made}


def render(name: str, /, **values: object) -> Markup:
    """Fill a template, named without its ending.

    Raises:
        UndefinedError: A placeholder has no value.
    """
    return Markup(_ENVIRONMENT.get_template(f"{name}.html", globals=_GLOBALS).render(values).strip())
