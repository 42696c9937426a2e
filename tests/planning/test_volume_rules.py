"""What is read of volumes, and what is changed at random."""

from dataclasses import replace

import pytest

from monai_medmamba.data import DatasetError
from monai_medmamba.networks import create_medmamba
from monai_medmamba.planning import Profile, Space, make_plan
from monai_medmamba.transforms import AugmentVolumes

CT = "computed tomography"
CHEST = Space((350.0, 350.0, 300.0), (0.7, 0.7, 1.0), low=-1024, high=3000)
PLAIN = Profile("set", CT, "certain", ("a", "b"), {"a": 150, "b": 150}, colour=False, volumes=300, space=CHEST)


def volumes(**changes):
    return replace(PLAIN, space=replace(CHEST, **changes))


@pytest.mark.parametrize(
    ("extent", "spacing", "size", "patch"),
    [
        ((350.0, 350.0, 300.0), (0.7, 0.7, 1.0), [96, 96, 96], 4),  # a chest: as fine as the limit allows
        ((28.0, 28.0, 28.0), (1.0, 1.0, 1.0), [32, 32, 32], 4),  # MedMNIST3D: no more than there is
        ((240.0, 240.0, 150.0), (1.0, 1.0, 10.0), [96, 96, 16], [4, 4, 1]),  # thick slices keep their number
        ((240.0, 240.0, 150.0), (1.0, 1.0, 5.0), [96, 96, 32], [4, 4, 2]),
    ],
)
def test_the_whole_is_read_no_finer_than_it_is(extent, spacing, size, patch):
    plan = make_plan(volumes(extent=extent, spacing=spacing))
    assert plan["volume_size"]["gpu"] == size
    assert plan["patch_size"]["gpu"] == patch
    reach = [edge * length for edge, length in zip(size, plan["spacing"]["gpu"], strict=True)]
    assert reach == pytest.approx(extent, rel=0.01)
    network = create_medmamba("nano", 3, 1, num_classes=2, patch_size=patch)
    assert all(edge >= least for edge, least in zip(size, network.smallest_edges, strict=True))


def test_a_size_that_is_asked_for_has_the_spacing_that_fills_it():
    plan = make_plan(PLAIN, {"volume_size": [64, 64, 32]})
    assert plan["spacing"]["cpu"] == [5.47, 5.47, 9.38]
    assert plan["patch_size"]["cpu"] == [4, 4, 2]
    with pytest.raises(ValueError, match="8 voxels or more along each axis"):
        make_plan(PLAIN, {"volume_size": [64, 64, 4]})


def test_what_is_lost_is_told():
    reasons = {decision.name: decision.reason for decision in make_plan(PLAIN).decisions}
    assert "A finding of less than 11 mm is lost" in reasons["spacing"]
    fine = make_plan(volumes(extent=(60.0, 60.0, 60.0), spacing=(1.0, 1.0, 1.0)))
    assert "lost" not in next(d.reason for d in fine.decisions if d.name == "spacing")


@pytest.mark.parametrize(
    ("modality", "certainty", "changes", "expected"),
    [
        (CT, "certain", {}, [-1000, 400]),
        (CT, "likely", {"low": -160.4, "high": 239.5}, [-161, 240]),
        (CT, "unsure", {}, None),
        (CT, "certain", {"bytes": True, "low": 0, "high": 255}, [0, 255]),
        ("magnetic resonance", "certain", {"low": 0, "high": 4000}, None),
    ],
)
def test_range_of_values(modality, certainty, changes, expected):
    plan = make_plan(replace(volumes(**changes), modality=modality, certainty=certainty))
    assert plan["intensity_range"] == expected


def test_moments_are_known_of_bytes_alone():
    of_bytes = replace(volumes(bytes=True, low=0, high=255), mean=(0.4123,), std=(0.01,))
    assert (make_plan(of_bytes)["mean"], make_plan(of_bytes)["std"]) == ([0.412], [0.05])
    other = make_plan(of_bytes, {"intensity_range": [0, 100]})
    assert (other["mean"], other["std"]) == ([0.5], [0.25])


@pytest.mark.parametrize(
    ("modality", "certainty", "mirrored"),
    [
        (CT, "certain", False),
        ("microscopy", "likely", True),
        ("microscopy", "unsure", False),
        ("unknown", "unsure", False),
    ],
)
def test_augmentation_is_safe(modality, certainty, mirrored):
    found = make_plan(replace(PLAIN, modality=modality, certainty=certainty))["augmentation"]
    assert (found["flip_prob"] > 0) is mirrored
    assert (found["turn_prob"] > 0) is mirrored
    AugmentVolumes(**found)


def test_no_quarter_turns_of_slices_that_are_not_square():
    long = replace(volumes(extent=(350.0, 200.0, 300.0)), modality="microscopy")
    assert make_plan(long)["augmentation"]["turn_prob"] == 0


def test_a_training_fits_into_the_memory():
    from monai_medmamba.planning import training_gib

    plan = make_plan(PLAIN, {"variant": "tiny"}, gpu_gib=4)
    assert training_gib("tiny", plan["volume_size"]["gpu"], plan["batch_size"]["gpu"]) <= 4
    with pytest.raises(ValueError, match="--volume-size"):
        make_plan(PLAIN, gpu_gib=0.9)
    assert plan.as_dict()["expected"]["measured_on_a_gpu"] is False


def test_several_labels_are_refused():
    with pytest.raises(DatasetError, match="one label a volume"):
        make_plan(replace(PLAIN, several_labels=True, splits={"training": 9, "validation": 9, "test": 9}))
