import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn

from monai_medmamba.distributed import SameStart
from testing.processes import in_processes


def _start(rank, what):
    network = nn.Linear(2, 2)
    with torch.no_grad():
        network.weight.fill_(rank if what == "weights" else 1)
        network.bias.zero_()
    trainer = Engine(lambda engine, batch: None)

    @trainer.on(Events.STARTED)
    def restore(engine):
        if what == "epochs" and rank == 0:
            engine.state.epoch, engine.state.iteration = 2, 4

    SameStart(network).attach(trainer)
    try:
        trainer.run([0, 1], max_epochs=3)
    except RuntimeError as error:
        return str(error)
    return "trained"


@pytest.mark.parametrize("what", ["weights", "epochs"])
def test_refuses(what):
    for message in in_processes(2, _start, what):
        assert "expected all processes to start alike" in message
        assert "that all nodes share" in message


def test_accepts():
    assert in_processes(2, _start, "nothing") == ["trained", "trained"]
