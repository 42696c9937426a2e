"""The files of a bundle: ours are what the planner writes."""

import filecmp
import json
from dataclasses import replace
from pathlib import Path

import pytest

from monai_medmamba.planning import TASKS, Profile, Space, load_task, make_plan, task_of, write_bundle

ROOT = Path(__file__).parents[2]
PROFILE = Profile("hips", "radiography", "likely", ("a", "b"), {"a": 300, "b": 900}, colour=False)


@pytest.mark.parametrize("name", TASKS)
def test_each_of_our_bundles_is_what_the_planner_writes(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    task, profile, flags = load_task(name)
    written = write_bundle(make_plan(profile, flags), task, f"bundles/{name}")
    differ = [str(path) for path in written if not filecmp.cmp(path, ROOT / path, shallow=False)]
    assert not differ, f"run: medmamba plan --task {name} --out bundles/{name} --overwrite"
    shipped = {path.relative_to(ROOT) for path in (ROOT / "bundles" / name).rglob("*") if path.is_file()}
    ignored = {path for path in shipped if path.parts[2] in ("models", "output")}
    assert shipped - ignored == set(written)


def test_decisions_stand_in_the_configs(tmp_path):
    plan = make_plan(PROFILE, {"epochs": 5, "exclude": ["a/1.png"]})
    write_bundle(plan, task_of(PROFILE), tmp_path / "hips", dataset_dir="/data/hips")
    train = json.loads((tmp_path / "hips" / "configs" / "train.json").read_text())
    assert train["epochs"] == 5
    assert train["learning_rate"] == f"${plan['learning_rate']['gpu']} if @on_gpu else {plan['learning_rate']['cpu']}"
    assert train["dataset_dir"] == "/data/hips"
    assert train["layout"] == {"fractions": [0.6, 0.1, 0.3], "exclude": ["a/1.png"]}
    augment = train["train"]["random_transforms"][0]["augment"]
    assert augment.pop("_target_").endswith("AugmentBatch")
    assert augment == plan["augmentation"]
    inference = json.loads((tmp_path / "hips" / "configs" / "inference.json").read_text())
    assert inference["untrained"]["preprocessing"]["image_size"] == 224


@pytest.mark.parametrize(
    ("modality", "flips"),
    [
        ("radiography", [[]]),
        ("ultrasound", [[], [1]]),
        ("endoscopy", [[], [0], [1], [0, 1]]),
    ],
)
def test_mirror_images_of_a_test_are_those_that_training_may_draw(modality, flips, tmp_path):
    write_bundle(make_plan(replace(PROFILE, modality=modality)), task_of(PROFILE), tmp_path / "set")
    for name in ("train", "inference"):
        assert json.loads((tmp_path / "set" / "configs" / f"{name}.json").read_text())["safe_flips"] == flips


def test_several_labels_stand_in_the_configs(tmp_path):
    splits = {"training": 600, "validation": 100, "test": 300}
    profile = replace(PROFILE, splits=splits, several_labels=True)
    write_bundle(make_plan(profile), task_of(profile), tmp_path / "hips", dataset_dir="/data/hips.npz")
    configs = {
        name: json.loads((tmp_path / "hips" / "configs" / f"{name}.json").read_text())
        for name in ("train", "inference", "metadata")
    }
    assert configs["train"]["layout"]["leave_out_contradictions"] is True
    assert configs["inference"]["untrained"]["several_labels"] is True
    assert configs["metadata"]["task"].startswith("Multi-label")
    assert configs["metadata"]["label_classes"] == "a 0 or 1 for each label"
    readme = (tmp_path / "hips" / "docs" / "README.md").read_text()
    assert "An image may have several labels, or none." in readme
    assert "confusion matrix" not in readme


def test_a_bundle_of_volumes(tmp_path):
    space = Space((240.0, 240.0, 150.0), (1.0, 1.0, 10.0), low=0, high=900)
    profile = replace(PROFILE, modality="microscopy", volumes=1200, space=space, layout={"csv": "t.csv"})
    plan = make_plan(profile)
    write_bundle(plan, task_of(profile), tmp_path / "hips", dataset_dir="/data/hips")
    configs = {
        name: json.loads((tmp_path / "hips" / "configs" / f"{name}.json").read_text())
        for name in ("train", "evaluate", "inference", "metadata")
    }
    train, inference = configs["train"], configs["inference"]
    assert train["volume_size"] == "$[96, 96, 16] if @on_gpu else [64, 64, 16]"
    assert train["intensity_range"] is None
    assert train["layout"] == {"csv": "t.csv", "fractions": [0.6, 0.1, 0.3]}
    assert train["train"]["random_transforms"][0]["augment"]["turn_prob"].startswith("$0.75 if @volume_size[0] ==")
    assert not any("image_size" in key for name in ("train", "evaluate", "inference") for key in configs[name])
    assert inference["untrained"]["network"] == {"patch_size": [4, 4, 1]}
    assert configs["metadata"]["network_data_format"]["inputs"]["image"]["spatial_shape"] == [96, 96, 16]
    readme = (tmp_path / "hips" / "docs" / "README.md").read_text()
    assert "image_size" not in readme
    assert "folder of a series" in readme


def test_a_bundle_is_not_overwritten_unasked(tmp_path):
    plan, task = make_plan(PROFILE), task_of(PROFILE)
    write_bundle(plan, task, tmp_path / "hips")
    (tmp_path / "hips" / "models").mkdir()
    (tmp_path / "hips" / "models" / "model.pt").write_text("weights")
    with pytest.raises(FileExistsError, match="--overwrite"):
        write_bundle(plan, task, tmp_path / "hips")
    write_bundle(plan, task, tmp_path / "hips", overwrite=True)
    assert (tmp_path / "hips" / "models" / "model.pt").read_text() == "weights"
