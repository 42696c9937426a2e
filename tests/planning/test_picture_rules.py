"""Size, normalisation and augmentation."""

from dataclasses import replace

import pytest

from monai_medmamba.planning import Profile, make_plan
from monai_medmamba.transforms import AugmentBatch

PLAIN = Profile("set", "radiography", "certain", ("a", "b"), {"a": 3000, "b": 3000}, colour=False)


@pytest.mark.parametrize(("side", "gpu", "cpu"), [(28, 64, 64), (64, 64, 64), (100, 128, 64), (512, 224, 64)])
def test_no_larger_than_the_images(side, gpu, cpu):
    assert make_plan(replace(PLAIN, short_side=side))["image_size"] == {"gpu": gpu, "cpu": cpu}


def test_grey_statistics_stand_three_times():
    plan = make_plan(replace(PLAIN, mean=(0.4567,), std=(0.01,)))
    assert plan["mean"] == [0.457] * 3
    assert plan["std"] == [0.05] * 3
    assert make_plan(PLAIN)["mean"] == [0.5] * 3


def test_colours_of_grey_images_never_change():
    assert not make_plan(replace(PLAIN, modality="endoscopy"))["augmentation"]["tint"]
    assert make_plan(replace(PLAIN, modality="endoscopy", colour=True))["augmentation"]["tint"]


def test_a_chest_is_not_mirrored_or_turned():
    augmentation = make_plan(PLAIN)["augmentation"]
    assert (augmentation["flip_prob"], augmentation["mirror_prob"], augmentation["turn_prob"]) == (0, 0, 0)
    assert augmentation["rotate_range"] < 0.2


def test_the_transform_takes_it():
    AugmentBatch(**make_plan(PLAIN)["augmentation"])
