"""Trained weights into the network that an evaluator runs."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from ignite.engine import Engine, Events
from torch import nn

from ..networks import ProbabilityEnsemble
from .checkpoint import bare, check_same_classes, load_state, read_checkpoint

__all__ = ["WeightsLoader"]

logger = logging.getLogger(__name__)


class WeightsLoader:
    """Loads a checkpoint's weights into the network before an evaluator starts.

    An ensemble takes a checkpoint for each of its members, with the temperature that each carries.

    Args:
        network: the network, bare or wrapped.
        path: of the checkpoint; for a ``ProbabilityEnsemble`` one may name several.
        class_names: the classes that the data has; they must be the checkpoint's, in the same order.

    Example:
        >>> WeightsLoader.__name__
        'WeightsLoader'
    """

    def __init__(
        self,
        network: nn.Module,
        path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        class_names: Sequence[str],
    ) -> None:
        self.network, self.class_names = network, list(class_names)
        self.paths = [path] if isinstance(path, str | os.PathLike) else list(path)

    def attach(self, engine: Engine) -> None:
        """Registers with an evaluator."""
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Loads the weights.

        Raises:
            FileNotFoundError: there is no checkpoint.
            ValueError: it is damaged, its classes or shapes differ, or there is not one for each network.
        """
        del engine
        network = bare(self.network)
        members = list(network.members) if isinstance(network, ProbabilityEnsemble) else [network]
        if len(members) != len(self.paths):
            raise ValueError(f"expected a checkpoint for each of {len(members)} networks, got {self.paths}")
        for place, (member, path) in enumerate(zip(members, self.paths, strict=True)):
            content = read_checkpoint(path)
            description = content["description"]
            check_same_classes(path, description, self.class_names)
            load_state(path, member, content)
            if isinstance(network, ProbabilityEnsemble):
                network.temperatures[place] = (description.get("calibration") or {}).get("temperature", 1.0)
            logger.info("weights of epoch %d: %s", description["epoch"], path)
