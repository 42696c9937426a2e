import json

import pytest

from monai_medmamba.handlers import FiniteLoss, RunRecord
from testing.training import Toy


def test_what_a_run_was(tmp_path):
    toy = Toy()
    counts = {"training": {"a": 4, "b": 4}, "validation": {"a": 1, "b": 1}, "test": {"a": 1, "b": 1}}
    settings = {"variant": "nano", "seed": 3}
    RunRecord(tmp_path, toy.network, "/srv/patients/set", "folder", counts, settings).attach(toy.trainer)
    toy.trainer.run()
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["dataset"] == "set"
    assert record["class_names"] == ["a", "b"]
    assert record["counts"] == counts
    assert record["config"] == settings
    assert record["parameters"] == sum(parameter.numel() for parameter in toy.network.parameters())
    assert record["device"].startswith("cpu")
    assert record["seconds"] > 0
    assert {"python", "torch", "monai", "monai_medmamba"} <= record["versions"].keys()


def test_a_run_that_fails_is_on_record_without_an_end(tmp_path):
    toy = Toy()
    RunRecord(tmp_path, toy.network, "set", "folder", {}, {}).attach(toy.trainer)
    FiniteLoss().attach(toy.trainer)
    toy.network.head.bias.data.fill_(float("nan"))
    with pytest.raises(FloatingPointError):
        toy.trainer.run()
    assert json.loads((tmp_path / "run.json").read_text())["seconds"] is None
