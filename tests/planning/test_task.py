"""The words of our own bundles, and of one nobody has described."""

import pytest

from monai_medmamba.planning import TASKS, Profile, load_task, make_plan, task_of


@pytest.mark.parametrize("name", TASKS)
def test_each_has_its_words(name):
    task, profile, flags = load_task(name)
    assert task.limits
    assert "Licence:" in task.licence
    assert "\n" in task.data
    assert len(profile.classes) > 1
    make_plan(profile, flags)


def test_counts_are_those_that_are_published():
    counts = {name: load_task(name)[1].images for name in TASKS}
    assert counts["medmamba_ultrasound"] == 12_400
    assert counts["medmamba_derm"] == 2298
    assert counts["medmamba_xray"] == 5228
    assert counts["medmamba_breast_us"] == 780


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="medmamba_endo"):
        load_task("medmamba_end")


def test_of_a_stranger():
    task = task_of(Profile("hips", "unknown", "unsure", ("a", "b"), {"a": 5, "b": 5}))
    assert task.summary == "images"
    assert "hips" in task.licence
