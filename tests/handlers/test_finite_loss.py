import math

import pytest
import torch

from monai_medmamba.handlers import FiniteLoss
from testing.training import Toy


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops(loss):
    with pytest.raises(FloatingPointError, match=rf"{loss} at iteration 7 \(epoch 2\).*learning_rate"):
        FiniteLoss().check(loss, epoch=2, iteration=7)


def test_training_stops_in_the_step_it_happens():
    toy = Toy(handlers=[FiniteLoss()])
    with torch.no_grad():
        toy.network.head.bias.fill_(math.nan)
    with pytest.raises(FloatingPointError):
        toy.trainer.run()
    assert toy.trainer.state.iteration == 1
