"""A rule decides unless a flag does, and both leave a reason."""

from monai_medmamba.planning import Choices


def test_a_flag_wins_and_the_rule_is_told():
    choices = Choices({"epochs": 7, "seed": None})
    assert choices.settle("epochs", {"gpu": 100, "cpu": 40}, "Enough.") == {"gpu": 7, "cpu": 7}
    assert choices.settle("seed", 3, "Any.") == 3
    assert [decision.by for decision in choices.made] == ["flag", "rule"]
    assert "Enough." in choices.made[0].reason


def test_a_flag_for_each_device_stays_as_it_is():
    choices = Choices({"epochs": {"gpu": 1, "cpu": 2}})
    assert choices.settle("epochs", {"gpu": 100, "cpu": 40}, "") == {"gpu": 1, "cpu": 2}


def test_flags_that_nothing_asks_about_are_known():
    assert Choices({"epoch": 7}).unused == ["epoch"]
