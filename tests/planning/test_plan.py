"""The plan as a whole."""

import json
from dataclasses import replace

import pytest

from monai_medmamba.data import DatasetError
from monai_medmamba.planning import Profile, make_plan

PLAIN = Profile("set", "endoscopy", "certain", ("a", "b"), {"a": 2000, "b": 2000})


def test_every_decision_has_a_reason():
    plan = make_plan(PLAIN)
    assert all(decision.reason.endswith((".", ").")) for decision in plan.decisions)
    names = [decision.name for decision in plan.decisions]
    assert len(set(names)) == len(names)


def test_every_decision_can_be_taken_by_the_user():
    names = {decision.name: decision.value for decision in make_plan(PLAIN).decisions}
    plan = make_plan(PLAIN, names)
    assert {decision.by for decision in plan.decisions} == {"flag"}


def test_it_is_saved_with_reasons(tmp_path):
    make_plan(PLAIN, {"epochs": 3}).save(tmp_path / "plan.json")
    content = json.loads((tmp_path / "plan.json").read_text())
    assert content["schema"] == "monai_medmamba.plan"
    epochs = next(decision for decision in content["decisions"] if decision["name"] == "epochs")
    assert (epochs["value"], epochs["by"]) == ({"gpu": 3, "cpu": 3}, "flag")
    assert content["expected"]["training_gib"] > 1


def test_a_name_that_is_no_decision_is_refused():
    with pytest.raises(ValueError, match="no decisions are called epoch: they are"):
        make_plan(PLAIN, {"epoch": 3})


def test_what_cannot_be_planned_for_is_refused():
    with pytest.raises(DatasetError, match="no training, validation, test"):
        make_plan(replace(PLAIN, several_labels=True))
    with pytest.raises(ValueError, match="must say where they lie"):
        make_plan(replace(PLAIN, volumes=2))


def test_several_labels_an_image():
    splits = {"training": 60, "validation": 20, "test": 20}
    plan = make_plan(replace(PLAIN, counts={"a": 60, "b": 50}, splits=splits, several_labels=True))
    assert plan["task"] == "multi-label"
    assert plan["label_smoothing"] == 0
    assert plan["split"] == "given"
