import pytest

from monai_medmamba.dicom import Algorithm, Code, Instance, Report, Result

IMAGE = Instance("1.2.840.10008.5.1.4.1.1.1", "1.2.3", "1.2")
CODES = tuple(Code(name, "99X", name) for name in "abc")


def report(*rows, several=False):
    return Report("1", Algorithm("x", "1"), CODES, several, tuple(Result((IMAGE,), row) for row in rows))


@pytest.mark.parametrize(
    ("row", "one", "several"),
    [
        ((0.2, 0.7, 0.1), (False, True, False), (False, True, False)),
        ((0.4, 0.3, 0.3), (True, False, False), (False, False, False)),
        ((0.5, 0.5, 0.0), (True, False, False), (True, True, False)),
    ],
)
def test_what_is_present(row, one, several):
    said = report(row)
    assert said.present(said.results[0]) == one
    said = report(row, several=True)
    assert said.present(said.results[0]) == several


def test_invalid_arguments():
    with pytest.raises(ValueError, match="at least one result"):
        report()
    with pytest.raises(ValueError, match="expected 3 probabilities a result, one a class, got 2"):
        report((0.5, 0.5))
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        report((0.5, 0.5, float("nan")))
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        report((0.5, 0.5, 1.5))
    with pytest.raises(ValueError, match="at least one instance"):
        Result((), (0.5,))
