"""Randomness as a function of the epoch, so that a resumed run repeats an uninterrupted one."""

from __future__ import annotations

import random

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.data.utils import set_rnd

__all__ = ["EpochSeed"]


class EpochSeed:
    """Seeds every source of randomness at the start of each epoch from the run's seed and the epoch's number.

    Nothing random is carried from one epoch into the next, so data order, augmentation and stochastic depth of an
    epoch are the same whether the run came from its first epoch or was resumed in between. Ranks of a distributed
    run draw different numbers.

    Args:
        seed: of the run.
        randomizable: what holds MONAI's random transforms, at any depth: a data set, or a ``prepare_batch``.
        rank: of this process.

    Example:
        >>> trainer = Engine(lambda engine, batch: torch.rand(()).item())
        >>> EpochSeed(seed=0).attach(trainer)
        >>> _ = trainer.run([0], max_epochs=1); first = trainer.state.output
        >>> _ = trainer.run([0], max_epochs=1); first == trainer.state.output
        True
    """

    def __init__(self, seed: int, randomizable: object = None, rank: int = 0) -> None:
        self.seed, self.randomizable, self.rank = seed, randomizable, rank

    def attach(self, engine: Engine) -> None:
        """Registers with a trainer."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Seeds this epoch."""
        words = np.random.SeedSequence([self.seed, engine.state.epoch, self.rank]).generate_state(1)
        seed = int(words[0])
        random.seed(seed)
        np.random.seed(seed)  # some MONAI transforms read the global state
        torch.manual_seed(seed)
        if self.randomizable is not None:
            set_rnd(self.randomizable, seed)
