import numpy as np

from monai_medmamba.data.phantoms.chest import Chest, random_direction


def chest(seed=0, size=24):
    return Chest(np.random.default_rng(seed), size)


def test_hounsfield_units():
    volume = chest().render()
    assert volume.dtype == np.int16
    assert volume.shape == (24, 24, 24)
    assert -1024 <= volume.min() < -800
    assert (volume < -700).mean() > 0.3  # lung
    assert (volume > -200).mean() > 0.02  # the wall


def test_same_state_same_voxels():
    assert np.array_equal(chest(3).render(), chest(3).render())
    assert not np.array_equal(chest(3).render(), chest(4).render())


def test_paint_mixes_and_clips():
    scene = chest()
    scene.paint(np.full_like(scene.values, 2.0), 7.0)
    assert (scene.values == 7).all()
    scene.paint(np.full_like(scene.values, 0.5), 9.0)
    assert (scene.values == 8).all()


def test_from_point():
    scene = chest()
    distance, direction = scene.from_point(np.zeros(3))
    assert np.allclose(np.linalg.norm(direction, axis=0), 1)
    assert np.allclose(direction * distance, np.stack([scene.x, scene.y, scene.z]))


def test_a_vessel_through_a_point_passes_it():
    scene = chest(size=32)
    scene.values[:] = -850
    scene.vessel(np.zeros(3))
    assert scene.values.max() > -300
    assert (scene.values > -800).mean() < 0.1


def test_directions_have_length_one():
    assert np.isclose(np.linalg.norm(random_direction(np.random.default_rng(0))), 1)
