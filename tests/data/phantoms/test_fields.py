import numpy as np
import pytest

from monai_medmamba.data.phantoms.fields import blur, bump, noise, step


def test_noise_is_smooth_and_scaled():
    fine, coarse = (noise(np.random.default_rng(0), 64, length) for length in (0.03, 0.3))
    for field in (fine, coarse):
        assert field.shape == (64, 64)
        assert field.mean() == pytest.approx(0, abs=1e-9)
        assert field.std() == pytest.approx(1)
    assert np.abs(np.diff(coarse)).mean() < 0.3 * np.abs(np.diff(fine)).mean()


def test_blur_is_a_gaussian():
    point = np.zeros((65, 65))
    point[32, 32] = 1
    smooth = blur(point, 4 / 32.5)  # a deviation of four pixels
    distance = np.arange(65) - 32
    expected = np.exp(-(distance**2) / 32) / np.sqrt(32 * np.pi)
    np.testing.assert_allclose(smooth, np.outer(expected, expected), atol=1e-6)


def test_step_and_bump():
    assert step(np.array([-1.0, 0.0, 0.5, 1.0, 2.0]), 0, 1).tolist() == [0, 0, 0.5, 1, 1]
    assert bump(np.array([0.0, 0.2]), 0.2).tolist() == [1, pytest.approx(np.exp(-1))]
