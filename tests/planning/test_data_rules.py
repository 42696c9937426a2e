"""Exclusions, splits, folds and weights."""

from dataclasses import replace

import pytest

from monai_medmamba.planning import Profile, make_plan

PLAIN = Profile("set", "endoscopy", "certain", ("a", "b"), {"a": 3000, "b": 3000})


def test_a_picture_under_two_labels_is_left_out_everywhere():
    plan = make_plan(replace(PLAIN, repeats=((("a/1.png", "a", None), ("b/2.png", "b", None)),)))
    assert plan["exclude"] == ["a/1.png", "b/2.png"]


def test_a_given_test_split_keeps_its_pictures():
    group = (("1.png", "a", "training"), ("2.png", "b", "test"))
    assert make_plan(replace(PLAIN, repeats=(group,)))["exclude"] == ["1.png"]


def test_a_picture_twice_in_one_place_stays():
    assert make_plan(replace(PLAIN, repeats=((("1.png", "a", None), ("2.png", "a", None)),)))["exclude"] == []


@pytest.mark.parametrize(
    ("changes", "split", "folds"),
    [
        ({}, "by image", 1),
        ({"patients": 40}, "by patient", 1),
        ({"splits": {"training": 9, "test": 9}, "patients": 4}, "given", 1),
        ({"counts": {"a": 100, "b": 100}}, "by image", 5),
        ({"splits": {"training": 9, "validation": 9, "test": 0}}, "by image", 5),
    ],
)
def test_split_and_folds(changes, split, folds):
    plan = make_plan(replace(PLAIN, **changes))
    assert (plan["split"], plan["folds"]) == (split, folds)


@pytest.mark.parametrize(("rarest", "power"), [(450, 0.0), (200, 1.0), (40, 0.5)])
def test_weights_of_several_labels_go_with_the_rarest(rarest, power):
    splits = {"training": 600, "validation": 200, "test": 200}
    profile = replace(PLAIN, counts={"a": 500, "b": rarest}, splits=splits, several_labels=True)
    assert profile.imbalance == (1000 - rarest) / rarest
    assert make_plan(profile)["class_weight_power"] == power


def test_of_several_labels_repeats_are_judged_when_the_data_are_read():
    splits = {"training": 9, "validation": 9, "test": 9}
    group = (("1.png", None, "training"), ("2.png", None, "test"))
    plan = make_plan(replace(PLAIN, counts={"a": 9, "b": 9}, splits=splits, several_labels=True, repeats=(group,)))
    assert plan["exclude"] == []
    assert next(d for d in plan.decisions if d.name == "exclude").reason.startswith("1 pictures")


@pytest.mark.parametrize(("smaller", "power"), [(2500, 0.0), (1000, 1.0), (100, 0.5)])
def test_weights_go_with_the_imbalance(smaller, power):
    assert make_plan(replace(PLAIN, counts={"a": 3000, "b": smaller}))["class_weight_power"] == power


def test_an_image_of_a_medmnist_file_is_named_as_it_is_unpacked():
    group = (("x.npz#train_images/7", "0", "training"), ("x.npz#test_images/1", "1", "test"))
    assert make_plan(replace(PLAIN, repeats=(group,)))["exclude"] == ["train_images/7.png"]
