import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from monai_medmamba.metrics.confusion import cohen_kappa, confusion_matrices, matthews, one_against_rest


def test_each_row_of_weights_has_its_matrix():
    rng = np.random.default_rng(0)
    truth, predicted, weights = rng.integers(0, 4, 50), rng.integers(0, 4, 50), rng.integers(0, 3, (7, 50))
    matrices = confusion_matrices(truth, predicted, 5, weights.astype(float))
    for matrix, row in zip(matrices, weights, strict=True):
        expected = sklearn_metrics.confusion_matrix(truth, predicted, labels=range(5), sample_weight=row)
        assert matrix.tolist() == expected.tolist()


def test_correlations_of_many_matrices_are_those_of_each():
    rng = np.random.default_rng(1)
    matrices = rng.integers(0, 9, (6, 3, 3)).astype(float)
    for figure in (cohen_kappa, matthews, lambda m: cohen_kappa(m, quadratic=True)):
        assert figure(matrices).tolist() == pytest.approx([figure(matrix[None])[0] for matrix in matrices])


def test_nothing_varies():
    alone = np.array([[[5.0, 0], [0, 0]]])
    assert np.isnan([cohen_kappa(alone)[0], matthews(alone)[0]]).all()


def test_a_class_without_images_has_no_figures():
    found = one_against_rest(np.array([[3.0, 0]]), np.array([[3.0, 1]]), np.array([[4.0, 0]]), np.array([[4.0]]))
    assert all(np.isnan(values[0, 1]) for values in found.values())
    assert found["precision"][0, 0] == 1
    assert np.isnan(found["specificity"][0, 0])
