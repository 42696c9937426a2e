import numpy as np
import pytest

from monai_medmamba.data.phantoms.cartoons import MOST, SHAPES, TEXTURES, draw_cartoon


def test_each_class_has_a_pair_of_its_own():
    assert len({(k % len(SHAPES), k % len(TEXTURES)) for k in range(MOST)}) == MOST == 20


@pytest.mark.parametrize(("grey", "shape"), [(False, (24, 24, 3)), (True, (24, 24))])
def test_shape(grey, shape):
    picture = draw_cartoon(0, 0, size=24, grey=grey)
    assert (picture.shape, picture.dtype) == (shape, np.uint8)
    assert (draw_cartoon(0, 0, size=24, grey=grey) == picture).all()
    assert (draw_cartoon(0, 1, size=24, grey=grey) != picture).any()
    assert (draw_cartoon(0, 0, size=24, grey=grey, seed=1) != picture).any()


def cross_validated(features, labels):
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    return cross_val_score(model, features, labels, cv=4).mean()


def test_texture_tells_classes_apart_and_colour_does_not():
    classes, each = 4, 40
    pictures = np.stack([draw_cartoon(k, i, size=64) for k in range(classes) for i in range(each)]) / 255
    labels = np.repeat(np.arange(classes), each)
    colours = np.concatenate([pictures.mean((1, 2)), pictures.std((1, 2))], axis=1)
    spectra = np.log1p(abs(np.fft.fft2(pictures.mean(-1)[:, 8:56, 8:56])))
    rows, columns = np.meshgrid(*2 * [np.fft.fftfreq(48) * 48])
    rings = np.hypot(rows, columns).astype(int)
    by_frequency = np.stack([spectra[:, rings == r].mean(1) for r in range(24)], axis=1)
    assert cross_validated(colours, labels) < 0.5
    assert cross_validated(by_frequency, labels) > cross_validated(colours, labels) + 0.1
