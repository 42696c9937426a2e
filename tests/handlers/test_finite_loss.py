import math

import pytest
import torch
from ignite.engine import Engine, Events

from monai_medmamba.handlers import FiniteLoss
from testing.training import Toy


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops(loss):
    with pytest.raises(FloatingPointError, match=rf"{loss} at iteration 7 \(epoch 2\).*learning_rate"):
        FiniteLoss().check(loss, epoch=2, iteration=7)


class Losses:
    """Trains with given losses, and notes what happens at the end of each epoch."""

    def __init__(self, losses, length, **arguments):
        self.ended, self.iteration = [], 0
        self.engine = Engine(lambda engine, batch: {"loss": torch.tensor(losses[engine.state.iteration - 1])})
        FiniteLoss(**arguments).attach(self.engine)
        self.engine.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: self.ended.append(engine.state.epoch))
        self.length, self.epochs = length, len(losses) // length

    def run(self):
        self.engine.run(range(self.length), max_epochs=self.epochs)


@pytest.mark.parametrize("interval", [1, 2, 3, 10])
@pytest.mark.parametrize("bad", [1, 4, 5, 7, 8])
def test_a_bad_loss_is_named_in_time_and_before_its_epoch_ends(interval, bad):
    losses = [math.nan if i == bad else 0.5 for i in range(1, 9)]
    training = Losses(losses, length=4, interval=interval)
    with pytest.raises(FloatingPointError, match=rf"nan at iteration {bad} \(epoch {1 + (bad > 4)}\)"):
        training.run()
    assert training.ended == [1] * (bad > 4)
    assert training.engine.state.iteration - bad < interval


def test_a_second_run_begins_without_the_losses_of_the_first():
    training = Losses([0.5, math.nan, 0.5, 0.5], length=4, interval=4)
    with pytest.raises(FloatingPointError):
        training.run()
    finite = FiniteLoss(interval=4)
    finite._waiting = [torch.tensor(math.nan)]
    engine = Engine(lambda engine, batch: {"loss": torch.tensor(0.5)})
    finite.attach(engine)
    assert engine.run(range(4), max_epochs=1).epoch == 1


def test_an_epoch_that_is_cut_short_is_checked():
    training = Losses([0.5, math.nan, 0.5, 0.5], length=4, interval=4)
    training.engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda engine: engine.terminate_epoch())
    with pytest.raises(FloatingPointError, match="iteration 2"):
        training.run()


def test_invalid_interval():
    with pytest.raises(ValueError, match="interval of 1 iteration or more, got 0"):
        FiniteLoss(0)


def test_training_stops_in_the_step_it_happens():
    toy = Toy(handlers=[FiniteLoss()])
    with torch.no_grad():
        toy.network.head.bias.fill_(math.nan)
    with pytest.raises(FloatingPointError):
        toy.trainer.run()
    assert toy.trainer.state.iteration == 1
