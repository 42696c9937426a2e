import numpy as np
import pytest

from monai_medmamba.data.phantoms import FINDINGS, draw_phantom
from monai_medmamba.data.phantoms.scene import Scene


def test_class_names():
    assert list(FINDINGS) == [
        "dyed-lifted-polyps",
        "dyed-resection-margins",
        "esophagitis",
        "normal-cecum",
        "normal-pylorus",
        "normal-z-line",
        "polyps",
        "ulcerative-colitis",
    ]


@pytest.mark.parametrize("label", FINDINGS)
def test_finding_changes_the_scene(label):
    for seed in range(5):
        scene, plain = (Scene(np.random.default_rng(seed), 48) for _ in range(2))
        FINDINGS[label](scene)
        assert np.isfinite(scene.height).all()
        assert scene.light.min() >= 0
        assert ((scene.colour >= 0) & (scene.colour <= 1)).all()
        assert np.abs(scene.height - plain.height).max() > 0.05
        assert np.abs(scene.light - plain.light).max() > 0.2


def test_linear_model_does_not_solve_it():
    """A logistic regression on 16 x 16 colours must have something to learn and much to miss."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pictures = np.stack([draw_phantom(label, i, size=64) for label in FINDINGS for i in range(60)])
    coarse = pictures.reshape(-1, 16, 4, 16, 4, 3).mean((2, 4)).reshape(len(pictures), -1)
    labels, number = np.repeat(np.arange(8), 60), np.tile(np.arange(60), 8)
    training, test = number < 36, number >= 42
    best = 0.0
    for strength in (1.0, 0.01, 0.001):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))
        best = max(best, model.fit(coarse[training], labels[training]).score(coarse[test], labels[test]))
    assert 0.35 < best < 0.80
