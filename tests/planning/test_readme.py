"""The page of a bundle."""

from monai_medmamba.planning import Profile, make_plan, task_of
from monai_medmamba.planning.readme import readme


def test_it_names_the_folder_and_the_decisions():
    profile = Profile("hips", "radiography", "likely", ("a", "b"), {"a": 300, "b": 900}, colour=False)
    text = readme(make_plan(profile), task_of(profile), "bundles/hips", "/data/hips")
    assert "--config_file bundles/hips/configs/train.json" in text
    assert "medmamba_endo" not in text
    assert "Left and right matter" in text
    assert "the data set that it was planned for" in text
    assert "Not for diagnostic use" in text
    assert "## Results" not in text
