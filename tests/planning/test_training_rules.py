"""Network, batch, epochs: what fits and what there is time for."""

from dataclasses import replace

import pytest

from monai_medmamba.planning import Profile, make_plan, training_gib

PLAIN = Profile("set", "endoscopy", "certain", ("a", "b"), {"a": 2000, "b": 2000})


def test_the_recipe_of_kvasir():
    plan = make_plan(PLAIN)
    assert plan["variant"] == {"gpu": "tiny", "cpu": "nano"}
    assert plan["batch_size"] == {"gpu": 64, "cpu": 32}
    assert plan["learning_rate"] == {"gpu": 0.001, "cpu": 0.002}
    assert plan["epochs"] == {"gpu": 100, "cpu": 40}
    assert plan["drop_path_rate"] == {"gpu": 0.1, "cpu": 0.0}


@pytest.mark.parametrize("gpu_gib", [2, 3, 4, 8])
def test_a_training_fits_into_the_memory(gpu_gib):
    plan = make_plan(replace(PLAIN, counts={"a": 500_000, "b": 500_000}), gpu_gib=gpu_gib)
    variant, size, batch = (plan[name]["gpu"] for name in ("variant", "image_size", "batch_size"))
    assert training_gib(variant, size, batch) <= gpu_gib


def test_more_memory_and_images_make_a_larger_network():
    many = replace(PLAIN, counts={"a": 500_000, "b": 500_000})
    assert make_plan(many, gpu_gib=80)["variant"]["gpu"] == "base"
    assert make_plan(many, gpu_gib=2)["variant"]["gpu"] == "tiny"
    assert make_plan(many, gpu_gib=1.5)["variant"]["gpu"] == "nano"


def test_too_little_memory_is_told():
    with pytest.raises(ValueError, match="--image-size"):
        make_plan(PLAIN, gpu_gib=0.5)


def test_a_budget_cuts_epochs_of_the_device_that_needs_it():
    plan = make_plan(PLAIN, budget_hours=0.2)
    assert plan["epochs"]["gpu"] == 100
    assert plan["epochs"]["cpu"] < 40
    reason = next(decision.reason for decision in plan.decisions if decision.name == "epochs")
    assert "cpu: cut to fit into 0.2 h" in reason


def test_few_images_make_small_batches():
    assert make_plan(replace(PLAIN, counts={"a": 200, "b": 200}))["batch_size"] == {"gpu": 16, "cpu": 16}
