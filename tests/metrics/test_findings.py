import numpy as np
import pytest

from monai_medmamba.metrics import FindingPredictions, read_findings, read_predictions, write_findings
from monai_medmamba.metrics.findings import is_findings_table

NAMES = ["mass", "edema; left", "=nodule"]


def made_up(count=20):
    rng = np.random.default_rng(0)
    images = [f"=a, {i}.png" for i in range(count)]
    return images, rng.random((count, 3)) < 0.4, rng.random((count, 3)).astype(np.float32)


def test_a_table_reads_back_as_it_was(tmp_path):
    images, labels, scores = made_up()
    write_findings(tmp_path / "new" / "p.csv", images, labels, scores, NAMES)
    found = read_findings(tmp_path / "new" / "p.csv")
    assert (found.images, found.class_names) == (images, NAMES)
    assert np.array_equal(found.members, labels)
    assert np.array_equal(found.probabilities, scores)
    assert is_findings_table(tmp_path / "new" / "p.csv")


def test_the_labels_found_are_those_of_half_and_more(tmp_path):
    path = tmp_path / "p.csv"
    write_findings(path, ["a", "b"], None, [[0.5, 0.49, 1.0], [0.0, 0.1, 0.2]], NAMES)
    lines = path.read_text().splitlines()
    assert lines[0] == '"image","found","prob_mass","prob_edema; left","prob_=nodule"'
    assert lines[1].startswith('"a","mass; =nodule",0.5,')
    assert lines[2].startswith('"b","",0.0,')
    assert read_findings(path).labels is None
    with pytest.raises(ValueError, match="evaluate a labelled split"):
        _ = read_findings(path).members


def test_no_image_leaves_the_header(tmp_path):
    write_findings(tmp_path / "p.csv", [], None, np.empty((0, 3)), NAMES)
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("true_mass", "true_other"), "expected the columns image, found"),
        (('"a","mass"', '"a"'), "line 2: expected 6 cells, got 5"),
        ((",0.75,", ",much,"), "line 2: 'much' is not a number"),
        ((",0.75,", ",1.5,"), "lie in"),
        ((",1,0\n", ",1,2\n"), "expected 0 or 1"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path, change, message):
    path = tmp_path / "p.csv"
    write_findings(path, ["a"], [[1, 0]], [[0.75, 0.25]], ["mass", "edema"])
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(ValueError, match=message) as refused:
        read_findings(path)
    assert "p.csv" in str(refused.value)


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [([[1, 0]], [[0.5, 1.5]], "lie in"), ([[1]], [[0.5, 0.5]], "shape"), (None, [[0.5] * 3], "shape")],
)
def test_what_does_not_fit_is_not_written(tmp_path, labels, scores, message):
    with pytest.raises(ValueError, match=message):
        write_findings(tmp_path / "p.csv", ["a"], labels, scores, ["mass", "edema"])
    assert not list(tmp_path.iterdir())


def test_one_label_an_image_is_another_table(tmp_path):
    write_findings(tmp_path / "p.csv", ["a"], None, [[0.5, 0.5]], ["mass", "edema"])
    with pytest.raises(ValueError, match="it has several labels an image"):
        read_predictions(tmp_path / "p.csv")


def test_found_names():
    found = FindingPredictions(["a"], None, np.float32([[0.1, 0.9, 0.6]]), NAMES)
    assert found.found == [["edema; left", "=nodule"]]
