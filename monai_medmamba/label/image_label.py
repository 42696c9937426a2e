"""Labels of images as small JSON files: what one must look like, and what is told of one that does not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .request_error import RequestError

__all__ = ["ImageLabel", "read_label"]

MAX_BYTES = 100_000


class Classes(Protocol):
    """What a label is compared with: a model."""

    @property
    def name(self) -> str:
        """What clients call it."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Its classes."""

    @property
    def several_labels(self) -> bool:
        """Whether an image may have several, or none."""


@dataclass(frozen=True)
class ImageLabel:
    """What a reader said of an image.

    Args:
        model: For whose classes.
        classes: Their names, in the model's order: one, or any number where an image may have several.

    Example:
        >>> ImageLabel("medmamba_endo", ("polyps",)).classes
        ('polyps',)
    """

    model: str
    classes: tuple[str, ...]


def read_label(text: str | bytes, models: Sequence[Classes]) -> list[ImageLabel]:
    """Returns the labels in a file, checked against the models' classes.

    The file is JSON: ``{"label": "polyps"}``, or ``{"labels": ["effusion", "nodule"]}`` where an image may have several
    (``[]`` for none), with ``"model"`` beside it where several models know the class. What the server keeps has an
    entry for each model: ``{"models": {"medmamba_endo": {"labels": ["polyps"]}}}``.

    Args:
        text: The file's content.
        models: That the server has.

    Returns:
        A label for each model that the file speaks of.

    Raises:
        RequestError: The content is no such JSON, or a model or class is not known; the message says what was
            expected.

    Example:
        >>> read_label('{"label": "polyps"}', [])
        Traceback (most recent call last):
        monai_medmamba.label.request_error.RequestError: no model has the class 'polyps'; known are
    """
    if len(text) > MAX_BYTES:
        raise RequestError(413, f"expected a label of at most {MAX_BYTES} bytes, got {len(text)}")
    try:
        content = json.loads(text)
    except ValueError as error:
        raise RequestError(422, f'expected JSON such as {{"label": "a class"}}: {error}') from error
    if not isinstance(content, dict):
        raise RequestError(422, f'expected a JSON object such as {{"label": "a class"}}, got {_short(content)}')
    kept = content.get("models")
    if isinstance(kept, dict) and kept:
        return [_of_model(_model(str(name), models), entry) for name, entry in kept.items()]
    if "model" in content:
        return [_of_model(_model(str(content["model"]), models), content)]
    names = _names(content)
    owners = [model for model in models if names and set(names) <= set(model.class_names)]
    if len(owners) > 1:
        known_to = ", ".join(model.name for model in owners)
        raise RequestError(422, f'several models have these classes: add "model", one of {known_to}')
    if not names and len(models) == 1:
        owners = list(models)
    if not owners:
        wanted = ", ".join(repr(name) for name in names) or "(none)"
        known = "; ".join(f"{model.name}: {', '.join(model.class_names)}" for model in models)
        raise RequestError(422, f"no model has the class {wanted}; known are {known}".rstrip())
    return [_of_model(owners[0], content)]


def _model(name: str, models: Sequence[Classes]) -> Classes:
    found = next((model for model in models if model.name == name), None)
    if found is None:
        known = ", ".join(model.name for model in models)
        raise RequestError(422, f"expected one of the models {known}, got {_short(name)}")
    return found


def _names(content: Mapping[str, Any]) -> list[str]:
    value = content.get("labels", content.get("label"))
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RequestError(
            422, f'expected "label", a class name, or "labels", a list of them; got {_short(dict(content))}'
        )
    return names


def _of_model(model: Classes, content: Any) -> ImageLabel:
    names = set(_names(content if isinstance(content, dict) else {"labels": content}))
    unknown = sorted(names - set(model.class_names))
    if unknown:
        raise RequestError(
            422, f"{model.name}: expected classes among {', '.join(model.class_names)}, got {_short(unknown)}"
        )
    if len(names) != 1 and not model.several_labels:
        raise RequestError(422, f"{model.name}: expected one class, got {_short(sorted(names))}")
    return ImageLabel(model.name, tuple(name for name in model.class_names if name in names))


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else f"{text[:200]} ..."
