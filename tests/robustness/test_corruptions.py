import itertools

import numpy as np
import pytest
import torch

from monai_medmamba.robustness import CORRUPTIONS, SEVERITIES, corrupt


@pytest.fixture
def picture():
    """A smooth picture with an edge and fine texture, wider than high."""
    rows, columns = torch.meshgrid(torch.linspace(0, 1, 48), torch.linspace(0, 1, 60), indexing="ij")
    channels = [rows, columns, (rows > columns).float()]
    return (torch.stack(channels) * 0.7 + 0.1 + 0.1 * torch.rand(3, 48, 60)).clamp(0, 1)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each(picture, name):
    before = picture.clone()
    shown = [corrupt(picture, name, severity, seed=3) for severity in range(SEVERITIES + 1)]
    assert torch.equal(picture, before)
    assert torch.equal(shown[0], picture)
    for found in shown:
        assert type(found) is torch.Tensor
        assert (found.shape, found.dtype) == (picture.shape, torch.float32)
        assert 0 <= found.min() <= found.max() <= 1
    changes = [float((found - picture).abs().mean()) for found in shown]
    assert all(later > earlier for earlier, later in itertools.pairwise(changes)), changes
    assert torch.equal(shown[3], corrupt(picture, name, 3, seed=3))
    assert len(CORRUPTIONS[name].strengths) == SEVERITIES


@pytest.mark.parametrize("name", ["noise", "highlights", "motion"])
def test_chance(picture, name):
    assert not torch.equal(corrupt(picture, name, 2, seed=0), corrupt(picture, name, 2, seed=1))
    state = np.random.get_state()[1].copy(), torch.get_rng_state()
    corrupt(picture, name, 2)
    assert np.array_equal(np.random.get_state()[1], state[0])
    assert torch.equal(torch.get_rng_state(), state[1])


def test_rotation_goes_both_ways():
    picture = torch.zeros(3, 40, 40)
    picture[:, 2:10, 16:24] = 1  # above the middle
    sides = {int(corrupt(picture, "rotation", 3, seed)[0].sum(0).argmax() > 20) for seed in range(8)}
    assert sides == {0, 1}


def test_noise_has_its_strength():
    found = corrupt(torch.full((3, 100, 100), 0.5), "noise", 2)
    assert float(found.std()) == pytest.approx(CORRUPTIONS["noise"].strengths[1], rel=0.05)


@pytest.mark.parametrize("name", ["blur", "motion", "rotation", "zoom_in", "zoom_out", "contrast"])
def test_a_plain_picture_stays_as_it_is(name):
    plain = torch.tensor([0.2, 0.5, 0.8])[:, None, None].expand(3, 40, 50)
    for severity in (1, SEVERITIES):
        assert torch.allclose(corrupt(plain, name, severity), plain, atol=1e-3)


def test_highlights_cover_their_share():
    black = torch.zeros(3, 64, 64)
    for severity, share in enumerate(CORRUPTIONS["highlights"].strengths, start=1):
        covered = float((corrupt(black, "highlights", severity, seed=5)[0] > 0.5).float().mean()) * 100
        assert share <= covered < share + 3


def test_motion_smears_along_a_line():
    picture = torch.zeros(3, 41, 41)
    picture[:, 20, 20] = 1
    found = corrupt(picture, "motion", 5)[0]
    assert float(found.sum()) == pytest.approx(1, abs=1e-4)
    points = torch.nonzero(found > 0.02).float()
    spread = torch.linalg.svdvals(points - points.mean(0))
    assert spread[0] > 4 * spread[1]


@pytest.mark.parametrize(("name", "severity"), [("fog", 1), ("noise", -1), ("noise", 6)])
def test_invalid_arguments(picture, name, severity):
    with pytest.raises(ValueError, match="expected"):
        corrupt(picture, name, severity)
