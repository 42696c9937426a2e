import json
import shutil

import numpy as np
import pytest

from monai_medmamba.cli import main
from monai_medmamba.metrics import read_predictions, write_predictions
from testing.runs import make_run


@pytest.fixture
def pair(tmp_path):
    """Two runs on the same images, the second worse, its lines in another order."""
    first = make_run(tmp_path / "set", images=60, resamples=20)
    second = tmp_path / "worse" / "run"
    shutil.copytree(first, second)
    found = read_predictions(first / "evaluation" / "predictions.csv")
    scores = np.float32(0.4 * found.probabilities + 0.6 * np.random.default_rng(0).dirichlet([1, 1, 1], 60))
    order = np.random.default_rng(1).permutation(60)
    images = [found.images[place] for place in order]
    write_predictions(
        second / "evaluation" / "predictions.csv", images, found.truth[order], scores[order], found.class_names
    )
    return first, second


def test_the_table_and_the_files_agree(pair, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["compare", *map(str, pair), "--resamples", "150", "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    content = json.loads((out / "comparison.json").read_text())
    assert (content["first"], content["second"]) == ("set", "worse")
    assert content["bootstrap"] | {"unit": "patient", "units": 30} == content["bootstrap"]
    row = content["figures"]["auc"]
    assert row["difference"]["value"] < 0
    assert f"{row['first']:.4f}  {row['second']:.4f}" in " ".join(shown.split()).replace(" ", "  ")
    assert f"p = {content['mcnemar']['p_value']:.4g}" in shown
    assert f"{row['difference']['low']:+.3f}" in (out / "comparison.html").read_text()


def test_tables_can_be_named_themselves(pair, capsys):
    tables = [str(run / "evaluation" / "predictions.csv") for run in pair]
    assert main(["compare", *tables, "--resamples", "20", "--names", "ours", "theirs"]) == 0
    assert "30 patients" in capsys.readouterr().out


def test_other_images_are_refused_by_name(pair, capsys):
    table = pair[1] / "evaluation" / "predictions.csv"
    table.write_text(table.read_text().replace("test_7.png", "other.png"))
    assert main(["compare", *map(str, pair)]) == 1
    error = capsys.readouterr().err
    assert "test_7.png" in error
    assert "other.png" in error


def test_a_missing_run_is_named(pair, tmp_path, capsys):
    assert main(["compare", str(pair[0]), str(tmp_path / "none")]) == 1
    assert "none is missing" in capsys.readouterr().err
