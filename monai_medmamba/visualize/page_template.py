"""Templates of pages: every text is escaped, a name that is missing is an error, and all pages share one style."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template


def page_template(package: str, name: str, filters: Mapping[str, Callable[..., Any]]) -> Template:
    """Return a template that may include others of its package and of this one, such as `page_style.html.j2`.

    Args:
        package: dotted name of the package that holds the template.
        name: file name of the template.
        filters: functions that the template uses, by name.

    Returns:
        The template.

    Example:
        >>> "--ink" in page_template("monai_medmamba.visualize", "page_style.html.j2", {}).render()
        True
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    def load(wanted: str) -> str:
        own = files(package).joinpath(wanted)
        return (own if own.is_file() else files(__package__).joinpath(wanted)).read_text(encoding="utf-8")

    environment = Environment(
        loader=FunctionLoader(load), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(filters)
    return environment.get_template(name)
