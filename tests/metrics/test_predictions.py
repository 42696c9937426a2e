import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_medmamba.metrics import Predictions, read_predictions, write_predictions

NAMES = ["normal", "polyp"]
GOOD = "image,label,prediction,confidence,prob_normal,prob_polyp\n"

names = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=8)
awkward = st.sampled_from(["a,b", 'say "x"', "two\nlines", "a\rb", "=1+1", "'quoted", "@x", "ärzte", "大腸", " ", "-1"])
texts = st.one_of(names, awkward)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_reading_is_the_inverse_of_writing(tmp_path_factory, data):
    class_names = data.draw(st.lists(texts, min_size=2, max_size=5, unique=True))
    images = data.draw(st.lists(texts, min_size=1, max_size=6))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    probabilities = rng.dirichlet([0.1] * len(class_names), size=len(images)).astype(np.float32)
    labels = rng.integers(len(class_names), size=len(images)) if data.draw(st.booleans()) else None
    path = tmp_path_factory.mktemp("predictions") / "predictions.csv"

    write_predictions(path, images, labels, probabilities, class_names)
    read = read_predictions(path)

    assert read.images == images
    assert read.class_names == class_names
    assert read.probabilities.dtype == np.float32
    np.testing.assert_array_equal(read.probabilities, probabilities)
    np.testing.assert_array_equal(read.predicted, probabilities.argmax(axis=1))
    if labels is None:
        assert read.labels is None
    else:
        np.testing.assert_array_equal(read.labels, labels)


def test_columns(tmp_path):
    path = tmp_path / "new" / "predictions.csv"
    write_predictions(path, [Path("x/a.png"), "b, c.png"], [1, 0], [[0.25, 0.75], [0.1, 0.9]], NAMES)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["image", "label", "prediction", "confidence", "prob_normal", "prob_polyp"]
    assert rows[0] == dict(zip(rows[0], [str(Path("x/a.png")), "polyp", "polyp", "0.75", "0.25", "0.75"], strict=True))
    assert list(rows[1].values()) == ["b, c.png", "normal", "polyp", "0.9", "0.1", "0.9"]


def test_unknown_truth_leaves_the_label_empty(tmp_path):
    write_predictions(tmp_path / "p.csv", ["a.png"], None, [[0.25, 0.75]], NAMES)
    assert (tmp_path / "p.csv").read_text().splitlines()[1].startswith('"a.png","","polyp",')


def test_formula_is_disarmed(tmp_path):
    write_predictions(tmp_path / "p.csv", ['=HYPERLINK("http://x")'], [0], [[0.75, 0.25]], ["-cmd", "@polyp"])
    with (tmp_path / "p.csv").open(newline="") as file:
        cells = list(csv.reader(file))[1]
    assert [cell[0] for cell in cells[:3]] == ["'", "'", "'"]


def test_file_names_that_are_not_utf8_survive(tmp_path):
    image = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    write_predictions(tmp_path / "p.csv", [image], None, [[0.25, 0.75]], NAMES)
    assert read_predictions(tmp_path / "p.csv").images == [image]


def test_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "p.csv"
    write_predictions(path, ["a.png"], [0], [[0.75, 0.25]], NAMES)
    before = path.read_text()

    class FullDisk:
        def writerow(self, cells):
            raise OSError("No space left on device")

    monkeypatch.setattr(csv, "writer", lambda *args, **kwargs: FullDisk())
    with pytest.raises(OSError, match="No space left"):
        write_predictions(path, ["b.png"], [0], [[0.75, 0.25]], NAMES)
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


def test_float64_is_rounded_to_float32(tmp_path):
    write_predictions(tmp_path / "p.csv", ["a"], [0], np.array([[2 / 3, 1 / 3]]), NAMES)
    np.testing.assert_array_equal(read_predictions(tmp_path / "p.csv").probabilities, np.float32([[2 / 3, 1 / 3]]))


def test_byte_order_mark_of_a_spreadsheet_is_ignored(tmp_path):
    (tmp_path / "p.csv").write_text(GOOD + "a,polyp,polyp,0.75,0.25,0.75\n", encoding="utf-8-sig")
    assert read_predictions(tmp_path / "p.csv").images == ["a"]


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (["a", "b"], [0], "one image name for each of 1 rows"),
        (["a"], [0, 1], "shape"),
        (["a"], [5], r"in \[0, 1\]"),
        ([], None, "one image name"),
    ],
)
def test_invalid_arguments(tmp_path, images, labels, message):
    with pytest.raises(ValueError, match=message):
        write_predictions(tmp_path / "p.csv", images, labels, [[0.25, 0.75]], NAMES)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected the columns image, label"),
        ("a,b,c\n", "expected the columns.*got"),
        ("image,label,prediction,confidence,normal,polyp\n", "prob_<class name>"),
        ("image,label,prediction,confidence,prob_normal\n", "at least two class names"),
        (GOOD, "empty"),
        (GOOD + "a,polyp,polyp,0.75,0.25\n", "line 2: expected 6 cells, got 5"),
        (GOOD + "\n", "line 2: expected 6 cells, got 0"),
        (GOOD + "a,ulcer,polyp,0.75,0.25,0.75\n", "line 2: label 'ulcer' is none of the classes"),
        (GOOD + "a,polyp,,0.75,0.25,0.75\n", "line 2: prediction '' is none of the classes"),
        (GOOD + "a,polyp,normal,0.75,0.25,0.75\n", "line 2: prediction is 'normal' but the most probable"),
        (GOOD + "a,polyp,polyp,0.75,low,0.75\n", "line 2: a probability is not a number"),
        (GOOD + "a,polyp,polyp,0.75,0.5,0.75\n", "sum to 1"),
        (GOOD + "a,polyp,polyp,0.75,0.25,0.75\nb,,polyp,0.75,0.25,0.75\n", "empty in 1 of 2 rows"),
        (GOOD + '"a,polyp', r"p\.csv is not a table of predictions"),
    ],
)
def test_bad_file_is_named_with_its_line(tmp_path, text, message):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        read_predictions(tmp_path / "p.csv")
    assert "p.csv" in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"p\.csv"):
        read_predictions(tmp_path / "p.csv")


def test_predicted_takes_the_first_of_equals():
    assert Predictions(["a"], None, np.float32([[0.5, 0.5]]), NAMES).predicted.tolist() == [0]


def test_the_truth_must_be_known():
    known = Predictions(["a.png"], np.array([1]), np.float32([[0.5, 0.5]]), ["a", "b"])
    assert known.truth.tolist() == [1]
    with pytest.raises(ValueError, match="known classes"):
        Predictions(["a.png"], None, np.float32([[0.5, 0.5]]), ["a", "b"]).truth  # noqa: B018
