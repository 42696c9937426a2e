"""Numbers on a page that say where in the page's JSON file they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

JSON = Mapping[str, Any]


def pointer(*path: str | int) -> str:
    """Return the JSON Pointer (RFC 6901) of a place.

    Args:
        path: names and positions from the top down.

    Returns:
        Text such as `/metrics/auc`.

    Example:
        >>> pointer("counts", "a/b", 0)
        '/counts/a~1b/0'
    """
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def look_up(content: Any, where: str) -> Any:
    """Return what stands at a JSON Pointer; None where nothing does.

    Args:
        content: what a JSON file holds.
        where: the pointer.

    Returns:
        The value.

    Example:
        >>> look_up({"a": [{"b": 7}]}, "/a/0/b"), look_up({}, "/a")
        (7, None)
    """
    for part in where.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        try:
            content = content[int(name)] if isinstance(content, list | tuple) else content[name]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return content


class Traced:
    """Writes values of a JSON content into a page, each with its pointer and form as attributes.

    Args:
        content: what the page's JSON file holds.
        forms: form name to the function that turns a value into text.

    Example:
        >>> str(Traced({"n": 0.5}, {"figure": "{:.3f}".format})("n"))
        '<span data-key="/n" data-form="figure">0.500</span>'
    """

    def __init__(self, content: JSON, forms: Mapping[str, Callable[[Any], str]]) -> None:
        self.content, self.forms = content, forms

    def __call__(self, *path: str | int, form: str = "figure") -> Any:
        """Return the value at a place as markup."""
        from markupsafe import Markup

        where = pointer(*path)
        text = self.forms[form](look_up(self.content, where))
        return Markup('<span data-key="{}" data-form="{}">{}</span>').format(where, form, text)

    def interval(self, *path: str | int, form: str = "figure") -> Any:
        """Return both ends of the interval at a place, nothing where it has none."""
        from markupsafe import Markup

        row = look_up(self.content, pointer(*path)) or {}
        if row.get("low") is None:
            return ""
        return Markup("{} to {}").format(self(*path, "low", form=form), self(*path, "high", form=form))
