"""The cases that the planner's memory model is fitted to and checked on."""

from memory import CHECKED, FITTED, gib


def test_nothing_is_checked_on_what_it_was_fitted_to():
    assert not set(FITTED) & set(CHECKED)
    assert {variant for variant, _, _ in FITTED} == {variant for variant, _, _ in CHECKED}


def test_gib():
    assert gib(3 * 2**29) == 1.5
