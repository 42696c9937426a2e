import pytest
import torch

from monai_medmamba.transforms import AugmentBatchd, AugmentVolumes

VOLUMES = torch.rand(6, 2, 5, 5, 3, generator=torch.Generator().manual_seed(0))
ALL = {
    "flip_prob": 0.5,
    "turn_prob": 0.75,
    "intensity_prob": 0.5,
    "scale_range": 0.2,
    "shift_range": 0.1,
    "noise_prob": 0.5,
    "noise_std": 0.05,
}


def test_shape():
    changed = AugmentVolumes(**ALL)(VOLUMES)
    assert (changed.shape, changed.dtype) == (VOLUMES.shape, VOLUMES.dtype)
    assert not torch.equal(changed, VOLUMES)


def test_without_chances_nothing_changes():
    assert torch.equal(AugmentVolumes()(VOLUMES), VOLUMES)


def test_the_same_seed_gives_the_same_and_each_volume_its_own():
    first, second = (AugmentVolumes(**ALL).set_random_state(seed=3)(VOLUMES) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(AugmentVolumes(**ALL).set_random_state(seed=4)(VOLUMES), first)
    alike = VOLUMES[:1].expand(6, -1, -1, -1, -1)
    assert len({tuple(one.flatten().tolist()) for one in AugmentVolumes(**ALL).set_random_state(seed=3)(alike)}) == 6


def test_mirroring_hits_every_axis():
    assert torch.equal(AugmentVolumes(flip_prob=1)(VOLUMES), VOLUMES.flip(2, 3, 4))


def test_turns_and_mirrors_keep_the_values():
    changed = AugmentVolumes(flip_prob=0.5, turn_prob=1).set_random_state(seed=0)(VOLUMES)
    assert torch.equal(changed.flatten(2).sort().values, VOLUMES.flatten(2).sort().values)
    turned = AugmentVolumes(turn_prob=1).set_random_state(seed=0)(VOLUMES)
    for one, original in zip(turned, VOLUMES, strict=True):
        assert any(torch.equal(one, torch.rot90(original, k, dims=(1, 2))) for k in (1, 2, 3))


def test_intensity_is_one_line_a_volume():
    changed = AugmentVolumes(intensity_prob=1, scale_range=0.2, shift_range=0.1).set_random_state(seed=0)(VOLUMES)
    for one, original in zip(changed, VOLUMES, strict=True):
        scale = (one.max() - one.min()) / (original.max() - original.min())
        assert 0.8 <= scale <= 1.2
        torch.testing.assert_close(one, original * scale + (one.min() - original.min() * scale))


def test_noise_has_its_strength():
    still = torch.zeros(20, 1, 8, 8, 8)
    changed = AugmentVolumes(noise_prob=1, noise_std=0.1).set_random_state(seed=0)(still)
    assert changed.flatten(1).std(1).max() < 0.11
    assert changed.flatten(1).std(1).max() > 0.05


@pytest.mark.parametrize("wrong", [{"flip_prob": 1.1}, {"noise_std": -1}, {"scale_range": float("nan")}])
def test_invalid_arguments(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        AugmentVolumes(**wrong)
    with pytest.raises(ValueError, match=r"\(B, C, X, Y, Z\)"):
        AugmentVolumes()(VOLUMES[0])
    with pytest.raises(ValueError, match="set turn_prob to 0"):
        AugmentVolumes(turn_prob=0.5)(VOLUMES[:, :, :4])
    assert AugmentVolumes(flip_prob=0.5)(VOLUMES[:, :, :4]).shape[2] == 4


def test_dictionary_form_takes_the_seed():
    results = [
        AugmentBatchd("image", AugmentVolumes(**ALL)).set_random_state(seed=1)({"image": VOLUMES})["image"]
        for _ in range(2)
    ]
    assert torch.equal(*results)
