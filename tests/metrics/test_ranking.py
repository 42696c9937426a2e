import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from monai_medmamba.metrics.ranking import RankedScores


@settings(max_examples=80, deadline=None)
@given(st.integers(2, 60), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_matches_sklearn_with_ties_and_weights(images, different, seed):
    rng = np.random.default_rng(seed)
    scores, member = rng.integers(0, different, images) / different, rng.random(images) < 0.5
    weights = rng.integers(0, 3, (3, images)).astype(float)
    areas, averages = RankedScores(scores, member).areas(weights)
    for row, area, average in zip(weights, areas, averages, strict=True):
        if not row[member].sum() or not row[~member].sum():
            assert np.isnan([area, average]).all()
            continue
        assert area == pytest.approx(sklearn_metrics.roc_auc_score(member, scores, sample_weight=row))
        assert average == pytest.approx(sklearn_metrics.average_precision_score(member, scores, sample_weight=row))


def test_steps_are_those_of_the_curve():
    hits, alarms = RankedScores(np.array([0.4, 0.1, 0.8, 0.4]), np.array([False, False, True, True])).steps(
        np.ones((1, 4))
    )
    assert (hits.tolist(), alarms.tolist()) == ([[1, 2, 2]], [[0, 1, 2]])
