import numpy as np
import pytest

from monai_medmamba.data.phantoms import NODULES, draw_nodule
from monai_medmamba.data.phantoms.chest import Chest


@pytest.mark.parametrize("label", list(NODULES))
def test_a_nodule_lies_near_the_middle(label):
    chest = Chest(np.random.default_rng(1), 32)
    before = chest.values.copy()
    NODULES[label](chest)
    changed = np.abs(chest.values - before) > 300
    assert 0.002 < changed.mean() < 0.3
    centre = np.array([axis.mean() for axis in np.nonzero(changed)])
    assert np.abs(centre - 15.5).max() < 8


def test_brightness_alone_does_not_tell_the_classes_apart():
    means = {label: [draw_nodule(label, i, size=24).mean() for i in range(20)] for label in NODULES}
    low, high = (np.sort(means[label]) for label in NODULES)
    assert low[0] < high[-1]
    assert high[0] < low[-1]
