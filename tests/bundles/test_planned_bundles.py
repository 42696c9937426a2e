"""What the planner has written trains, evaluates and classifies as it is, on phantoms in the layout of its data set."""

import json

import pytest

from testing.bundles import BUNDLES, monai_bundle

PLANNED = [bundle for bundle in BUNDLES if (bundle / "configs" / "plan.json").is_file()]


@pytest.mark.slow
@pytest.mark.parametrize("bundle", PLANNED, ids=lambda path: path.name)
def test_a_tiny_training_evaluation_and_inference_on_phantoms(bundle, tmp_path):
    places = ["--output_dir", str(tmp_path / "output"), "--ckpt_dir", str(tmp_path / "models")]
    small = ["--variant", "nano", "--epochs", "1", "--num_workers", "1"]
    if "image_size" in json.loads((bundle / "configs" / "train.json").read_text()):
        small += ["--image_size", "32"]
    train, evaluate, inference = (
        str(bundle / "configs" / f"{name}.json") for name in ("train", "evaluate", "inference")
    )
    for words in (
        ["training", "--config_file", train, *places, *small],
        ["evaluating", "--config_file", str([train, evaluate]), *places, "--resamples", "20"],
        ["inferring", "--config_file", inference, *places],
    ):
        done = monai_bundle("run", *words)
        assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "output" / "report.html").is_file()
    assert len((tmp_path / "output" / "predictions.csv").read_text().splitlines()) > 20
