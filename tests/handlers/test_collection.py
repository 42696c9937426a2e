import numpy as np
import pytest
import torch

from monai_medmamba.handlers.collection import PredictionCollector, predictions_of
from testing.training import Toy


def test_without_labels():
    probabilities, labels = predictions_of({"pred": torch.rand(2, 3)})
    assert probabilities.shape == (2, 3)
    assert labels is None
    assert predictions_of([{"pred": torch.rand(3)}])[1] is None
    assert PredictionCollector().labels == []


@pytest.mark.parametrize("decollate", [True, False])
def test_gathers_every_item_of_the_last_pass_alone(decollate):
    toy = Toy(decollate=decollate)
    collector = PredictionCollector()
    collector.attach(toy.evaluator)
    toy.evaluator.run()
    toy.evaluator.run()
    assert collector.images == [f"image{i}.png" for i in range(8)]
    assert collector.labels == [0, 1] * 4
    assert collector.probabilities.shape == (8, 2)
    np.testing.assert_allclose(collector.probabilities.sum(1), 1, atol=1e-6)
