import random

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.data import Dataset
from monai.transforms import Compose, RandGaussianNoised

from monai_medmamba.handlers import EpochSeed


def draws(first_epoch=1, epochs=3, seed=0, rank=0):
    """What each source of randomness gives in each epoch."""
    noise = RandGaussianNoised("image", prob=1.0)
    dataset = Dataset([{"image": torch.zeros(1, 2, 2)}], Compose([noise]))
    seen = []

    def step(engine, batch):
        pixels = dataset[0]["image"].flatten().tolist()
        seen.append((random.random(), np.random.rand(), torch.rand(()).item(), *pixels))

    engine = Engine(step)
    EpochSeed(seed, dataset, rank).attach(engine)
    engine.state.epoch = engine.state.iteration = first_epoch - 1
    engine.state.epoch_length, engine.state.max_epochs = 1, epochs
    engine.run([0], max_epochs=epochs, epoch_length=1)
    return seen


def test_a_run_that_begins_later_draws_the_same():
    assert draws(first_epoch=3) == draws()[2:]


def test_epochs_differ():
    assert len(set(draws())) == 3


@pytest.mark.parametrize("other", [{"seed": 1}, {"rank": 1}], ids=str)
def test_seeds_and_ranks_differ(other):
    assert not set(draws()) & set(draws(**other))
