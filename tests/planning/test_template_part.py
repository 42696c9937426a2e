"""What a part changes in a template."""

import pytest

from monai_medmamba.planning.template_part import lay_over


def template():
    return {"a": 1, "size": 2, "b": {"steps": [{"_target_": "x.Load", "k": 1}, {"_target_": "Save"}]}, "c#d": 3}


def test_places():
    found = lay_over(template(), {"a": 9, "b#steps#Load#k": 8, "b#steps#Save#_target_": "Keep", "c#d": 7})
    assert found == {
        **{"a": 9, "size": 2, "c#d": 7},
        "b": {"steps": [{"_target_": "x.Load", "k": 8}, {"_target_": "Keep"}]},
    }


def test_other_keys_take_the_place_of_one():
    found = lay_over(template(), {"size": {"_instead_": {"x": 1, "y": 2}}, "a": {"_instead_": {}}})
    assert list(found) == ["x", "y", "b", "c#d"]


@pytest.mark.parametrize("place", ["z", "b#z", "b#steps#Loader#k", "b#steps#Load#z", "a#b"])
def test_a_place_that_is_not_there_is_refused(place):
    with pytest.raises(KeyError, match="the template has no"):
        lay_over(template(), {place: 1})
