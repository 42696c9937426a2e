"""The ``layout`` of a bundle's config as arguments of the function that reads the data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ..data import DatasetError


def layout_arguments(layout: Mapping[str, Any] | None, build: Callable[..., object]) -> dict[str, Any]:
    """Returns what a layout says to the function that builds the data list.

    Args:
        layout: arguments by name; None for none. Its ``phantoms`` are for others.
        build: ``build_datalist`` or ``build_volume_datalist``.

    Returns:
        The arguments, as the function takes them.

    Raises:
        DatasetError: the function has no such argument.
    """
    arguments = {name: value for name, value in (layout or {}).items() if name != "phantoms"}
    check_known("layout", arguments, set(), build, {"dataset_dir", "seed"})
    if "fractions" in arguments:
        arguments["fractions"] = tuple(arguments["fractions"])
    return arguments


def check_known(
    what: str, given: Mapping[str, Any], needed: set[str], function: Callable[..., object], others: set[str]
) -> None:
    """Refuses keys that ``function`` does not take, and the lack of one that is needed.

    Args:
        what: the keys are of, for the message.
        given: keys and values.
        needed: keys that must be there.
        function: whose parameters are known.
        others: its parameters that are no keys.

    Raises:
        DatasetError: a key is unknown or lacking.
    """
    known = (set(inspect.signature(function).parameters) - others) | needed
    wrong = [*sorted(given.keys() - known), *sorted(f"no {name}" for name in needed - given.keys())]
    if wrong:
        raise DatasetError(f"{what} with {', '.join(sorted(known))}", ", ".join(wrong), "Correct the bundle's config")
