"""The cases that the planner's memory model is fitted to and checked on."""

import pytest
from memory import CHECKED, CHECKED_VOLUMES, FITTED, FITTED_VOLUMES, cases, gib


@pytest.mark.parametrize(("fitted", "checked"), [(FITTED, CHECKED), (FITTED_VOLUMES, CHECKED_VOLUMES)])
def test_nothing_is_checked_on_what_it_was_fitted_to(fitted, checked):
    assert not set(fitted) & set(checked)
    assert {variant for variant, _, _ in fitted} == {variant for variant, _, _ in checked}


def test_every_case_is_measured_once():
    found = [case for _, case in cases()]
    assert len(found) == len(set(found)) == len({*FITTED, *CHECKED, *FITTED_VOLUMES, *CHECKED_VOLUMES})


def test_gib():
    assert gib(3 * 2**29) == 1.5
