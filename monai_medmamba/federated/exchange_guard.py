"""What a hospital sends: weights of the network and figures, checked before they leave, and noted in a table."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any

import torch
from monai.fl.utils.exchange_object import ExchangeObject

from ..files import atomic_path

__all__ = ["ExchangeGuard"]

COLUMNS = ("direction", "what", "tensors", "numbers", "bytes", "figures")


class ExchangeGuard:
    """Lets weights and figures pass, and nothing else.

    Its two methods are filters in the sense of ``monai.fl.utils.filters``: a client gives what it has received to
    :meth:`receive` and what it is about to send to :meth:`send`. The first weights received say which names and shapes
    are the network's.

    It keeps a picture, a path or a name from being sent by mistake or by another filter. It says nothing of what can be
    learned from weights themselves: that is for differential privacy and secure aggregation.

    Args:
        table: the CSV file that gets a line for each exchange: direction, what it was, the number of tensors, of
            numbers in them and of bytes, and the names of the figures.

    Example:
        >>> guard = ExchangeGuard("exchanged.csv")
        >>> guard.send(ExchangeObject(metrics={"patient": "Doe"}))
        Traceback (most recent call last):
        ValueError: nothing was sent: expected numbers as metrics, got patient: 'Doe'; send figures alone
    """

    def __init__(self, table: str | os.PathLike[str]) -> None:
        self.table = Path(table)
        self.rows: list[dict[str, Any]] = []
        self._shapes: dict[str, tuple[int, ...]] | None = None

    def receive(self, data: ExchangeObject, extra: object = None) -> ExchangeObject:
        """Takes note of weights that came from the server.

        Args:
            data: what came.
            extra: as MONAI's filters have it; not used.

        Returns:
            The same object.

        Raises:
            ValueError: it holds no weights, or other names and shapes than the weights before.
        """
        del extra
        weights = _tensors(data.weights, "nothing was taken")
        shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
        if self._shapes is None:
            self._shapes = shapes
        _compare("nothing was taken", shapes, self._shapes)
        self._note("received", "weights", weights, data)
        return data

    def send(self, data: ExchangeObject, extra: object = None) -> ExchangeObject:
        """Checks what is about to leave.

        Args:
            data: weights, metrics and statistics.
            extra: as MONAI's filters have it; not used.

        Returns:
            The same object.

        Raises:
            ValueError: there is something in it that is neither a weight of the network nor a number with a name.
        """
        del extra
        refused = "nothing was sent"
        if data.optim is not None:
            raise ValueError(f"{refused}: expected no state of the optimiser, got {list(data.optim)}; leave it here")
        if len(data):
            raise ValueError(f"{refused}: expected weights and figures, got {list(data)} as well; leave it here")
        for kind, figures in (("metrics", data.metrics), ("statistics", data.statistics)):
            for name, value in (figures or {}).items():
                if not isinstance(name, str) or isinstance(value, bool) or not isinstance(value, Real):
                    raise ValueError(
                        f"{refused}: expected numbers as {kind}, got {name}: {value!r}; send figures alone"
                    )
        weights = {} if data.weights is None else _tensors(data.weights, refused)
        if weights:
            if self._shapes is None:
                raise ValueError(f"{refused}: no weights were received, so none are known to be the network's")
            _compare(refused, {name: tuple(tensor.shape) for name, tensor in weights.items()}, self._shapes)
            broken = [name for name, x in weights.items() if x.is_floating_point() and not torch.isfinite(x).all()]
            if broken:
                raise ValueError(f"{refused}: weights that are not finite, {_some(broken)}; lower the learning rate")
        self._note("sent", "weights" if weights else "figures", weights, data)
        return data

    def _note(self, direction: str, what: str, weights: Mapping[str, torch.Tensor], data: ExchangeObject) -> None:
        figures = [*(data.metrics or {}), *(data.statistics or {})]
        row = {
            "direction": direction,
            "what": what,
            "tensors": len(weights),
            "numbers": sum(tensor.numel() for tensor in weights.values()),
            "bytes": sum(tensor.numel() * tensor.element_size() for tensor in weights.values()) + 8 * len(figures),
            "figures": " ".join(map(str, figures)),
        }
        self.rows.append(row)
        with atomic_path(self.table) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, fieldnames=COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)


def _tensors(weights: Any, refused: str) -> dict[str, torch.Tensor]:
    """Returns weights as tensors: engines hand over tensors or arrays."""
    if not isinstance(weights, Mapping) or not weights:
        raise ValueError(f"{refused}: expected weights by name, got {type(weights).__name__}")
    try:
        return {str(name): torch.as_tensor(value) for name, value in weights.items()}
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{refused}: expected numbers in every weight ({error})") from error


def _compare(refused: str, found: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]) -> None:
    """Raises ValueError where names or shapes differ."""
    strange = [f"{name} {shape}" for name, shape in found.items() if expected.get(name) != shape]
    lacking = [name for name in expected if name not in found]
    if strange or lacking:
        raise ValueError(
            f"{refused}: not the weights of the network that the federation began with. Other names or shapes: "
            f"{_some(strange)}; lacking: {_some(lacking)}. Every hospital needs the same variant and the same classes."
        )


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3]) or "none"
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
