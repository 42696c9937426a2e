import pytest

from monai_medmamba.data import DatasetError
from monai_medmamba.data.entry import Entry
from monai_medmamba.data.patient_pattern import add_patients, compile_pattern, find_patient


@pytest.mark.parametrize(
    ("pattern", "patient"),
    [("p[0-9]+", "p7"), ("(p[0-9])_", "p7"), ("(?:p)([0-9])", "7"), ("(x)?p7", "p7"), ("q", None)],
)
def test_find(pattern, patient):
    assert find_patient("a/p7_1.png", compile_pattern(pattern)) == patient


def test_what_the_table_says_stays():
    entries = [Entry("a/p1.png", "a", patient="ann"), Entry("a/p2.png", "a")]
    assert [entry.patient for entry in add_patients(entries, "p[0-9]")] == ["ann", "p2"]


@pytest.mark.parametrize(("pattern", "message"), [("(", "a regular expression"), ("q", "1 paths without:\n  a/p1.png")])
def test_refuses(pattern, message):
    with pytest.raises(DatasetError, match=message):
        add_patients([Entry("a/p1.png", "a")], pattern)
