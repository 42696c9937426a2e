import numpy as np

from monai_medmamba.handlers.collection import PredictionCollector
from testing.training import Toy


def test_gathers_every_item_of_the_last_pass_alone():
    toy = Toy()
    collector = PredictionCollector()
    collector.attach(toy.evaluator)
    toy.evaluator.run()
    toy.evaluator.run()
    assert collector.images == [f"image{i}.png" for i in range(8)]
    assert collector.labels == [0, 1] * 4
    assert collector.probabilities.shape == (8, 2)
    np.testing.assert_allclose(collector.probabilities.sum(1), 1, atol=1e-6)
