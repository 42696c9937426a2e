import numpy as np
import pytest

from monai_medmamba.data.phantoms.scene import Scene


def render(seed=0, size=64, change=lambda scene: None):
    scene = Scene(np.random.default_rng(seed), size)
    change(scene)
    return scene.render()


@pytest.mark.parametrize("size", [16, 33, 64])
def test_shape(size):
    picture = render(size=size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8


def test_same_seed_same_picture():
    assert (render(3) == render(3)).all()
    assert (render(3) != render(4)).any()


def test_tint_paints_the_wall():
    scene = Scene(np.random.default_rng(0), 32)
    share = np.zeros((32, 32))
    share[:, 16:] = 2.0  # more than all is all
    before = scene.colour.copy()
    scene.tint(share, (0.0, 0.0, 1.0))
    assert (scene.colour[:, 16:] == (0.0, 0.0, 1.0)).all()
    assert (scene.colour[:, :16] == before[:, :16]).all()


def test_tunnel_is_dark():
    def change(scene):
        scene.wetness = 0.0
        scene.tunnel(0.0, 0.0, 0.3)

    for seed in range(5):
        with_lumen, without = render(seed, change=change), render(seed)
        assert with_lumen[28:36, 28:36].mean() < 0.3 * without[28:36, 28:36].mean()


def test_surround_is_dark():
    corners = [render(seed)[[0, 0, -1, -1], [0, -1, 0, -1]].mean() for seed in range(12)]
    assert min(corners) < 40
