"""What a bundle says of its inputs and outputs."""

from monai_medmamba.planning import load_task, make_plan
from monai_medmamba.planning.metadata import metadata, value_range


def test_classes_and_size_are_the_plan_s():
    task, profile, flags = load_task("medmamba_derm")
    found = metadata(make_plan(profile, flags), task)
    assert found["network_data_format"]["outputs"]["pred"]["channel_def"]["2"] == "MEL"
    assert found["network_data_format"]["inputs"]["image"]["spatial_shape"] == [224, 224]
    assert found["version"] in found["changelog"]


def test_range_after_normalisation():
    assert value_range([0.5, 0.25], [0.25, 0.5]) == [-2.0, 2.0]
