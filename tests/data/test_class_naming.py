import pytest

from monai_medmamba.data import DatasetError
from monai_medmamba.data.class_naming import name_classes, name_marks
from monai_medmamba.data.entry import Entry


def entries(*labels):
    return [Entry(f"{i}.png", label) for i, label in enumerate(labels)]


def test_labels_are_names_in_natural_order():
    named, names = name_classes(entries("10", "9", "10"))
    assert names == ("9", "10")
    assert [entry.label for entry in named] == ["10", "9", "10"]


def test_names_keep_the_order_of_labels():
    named, names = name_classes(entries("0", "1", "2"), {"0": "z", "1": "a"})
    assert names == ("z", "a", "2")
    assert [entry.label for entry in named] == ["z", "a", "2"]


def test_one_name_is_one_class():
    assert name_classes(entries("0", "1", "2"), {"0": "other", "2": "other"})[1] == ("other", "1")


def test_names_for_nothing_are_told(caplog):
    name_classes(entries("0"), {"0": "a", "7": "b"})
    assert "labels 7 that label_names" in caplog.text


def test_marks_are_named_by_place():
    assert name_marks(entries("0 1 0", "0 0 0")) == ("0", "1", "2")
    assert name_marks(entries("0 1"), {"1": "mass"}) == ("0", "mass")
    assert name_marks([]) == ()
    with pytest.raises(DatasetError, match="a name of its own for each label, found a, a"):
        name_marks(entries("0 1"), {"0": "a", "1": "a"})
