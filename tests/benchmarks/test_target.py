import pytest
from target import Reading, Target, best, row

RECORD = {"rows": [{"what": "a", "ms": 2}, {"what": "a", "mode": "x", "ms": 1}, {"what": "b", "failed": "no"}]}


@pytest.mark.parametrize(
    ("better", "aim", "value", "state"),
    [
        ("higher", 3, 3, "aim"),
        ("higher", 3, 2, "must"),
        ("higher", 3, 1.9, "missed"),
        ("lower", 1, 1, "aim"),
        ("lower", 1, 2, "must"),
        ("lower", 1, 2.1, "missed"),
        ("higher", None, 9, "must"),
    ],
)
def test_state(better, aim, value, state):
    target = Target("n", "w", "x", better, 2, aim, "*", lambda record: Reading(1))
    assert target.state(value) == state


def test_row_wants_one_row():
    assert row(RECORD, "ms", what="a", mode="x") == 1
    for what in ("a", "b", "c"):
        with pytest.raises(LookupError, match="rows with"):
            row(RECORD, "ms", what=what)


def test_best_takes_the_least():
    assert best(RECORD, "ms", what="a")["mode"] == "x"
    with pytest.raises(LookupError):
        best(RECORD, "ms", what="b")
