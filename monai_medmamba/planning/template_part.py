"""A part of a template: what it has otherwise than the template that it is laid over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["lay_over"]

INSTEAD = "_instead_"


def lay_over(template: dict[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """Changes a template as a part of it says.

    A part can name only what the template has, so that neither drifts from the other unnoticed. Unlike MONAI's own
    overlays it leaves no trace: what comes out is one config, in the template's order.

    Args:
        template: a config, changed in place.
        part: new values by place. A place is a key of the template; or keys with ``#`` between them, in which a list's
            member is named by the end of its ``_target_``. A value ``{"_instead_": {...}}`` puts other keys into the
            key's place; none at all removes it.

    Returns:
        The template.

    Raises:
        KeyError: the template has no such place.

    Example:
        >>> template = {"size": 3, "steps": [{"_target_": "a.Load", "keys": "x"}]}
        >>> lay_over(template, {"size": {"_instead_": {"width": 1, "height": 2}}, "steps#Load#keys": "y"})
        {'width': 1, 'height': 2, 'steps': [{'_target_': 'a.Load', 'keys': 'y'}]}
    """
    for place, value in part.items():
        keys = [place] if place in template else place.split("#")
        inner: Any = template
        for key in keys[:-1]:
            inner = _member(inner, key, place)
        if not isinstance(inner, dict) or keys[-1] not in inner:
            raise KeyError(f"the template has no {place}")
        if isinstance(value, Mapping) and value.keys() == {INSTEAD}:
            others = {name: kept for name, kept in inner.items() if name != keys[-1]}
            before = list(inner)[: list(inner).index(keys[-1])]
            inner.clear()
            inner.update({name: others.pop(name) for name in before} | value[INSTEAD] | others)
        else:
            inner[keys[-1]] = value
    return template


def _member(inner: Any, key: str, place: str) -> Any:
    if isinstance(inner, list):
        for one in inner:
            if isinstance(one, dict) and str(one.get("_target_", "")).rpartition(".")[2] == key:
                return one
    elif isinstance(inner, dict) and key in inner:
        return inner[key]
    raise KeyError(f"the template has no {place}")
