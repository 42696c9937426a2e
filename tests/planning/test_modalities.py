"""What is safe for which modality."""

import pytest

from monai_medmamba.fingerprint.modality import TAGS, WORDS
from monai_medmamba.planning.modalities import MODALITIES, UNKNOWN


def test_every_modality_that_a_name_can_tell_has_a_rule():
    assert set(WORDS) <= set(MODALITIES)
    assert set(MODALITIES) <= set(WORDS) | set(TAGS.values())


@pytest.mark.parametrize("name", ["radiography", "computed tomography", "magnetic resonance"])
def test_left_and_right_are_kept_where_they_matter(name):
    safe = MODALITIES[name]
    assert (safe.mirror, safe.flip, safe.turns) == (False, False, False)


def test_what_is_unknown_is_treated_with_care():
    assert (UNKNOWN.flip, UNKNOWN.mirror, UNKNOWN.turns, UNKNOWN.tint) == (False, False, False, False)
