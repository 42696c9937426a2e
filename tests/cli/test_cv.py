"""The command line of cross-validation; the steps themselves are tested in tests/bundle."""

import json

import pytest

from monai_medmamba.bundle import BundleCrossValidation
from monai_medmamba.bundle.fold_figures import FIGURES
from monai_medmamba.cli import main
from testing.bundles import ROOT

ENDO = ROOT / "bundles" / "medmamba_endo"


@pytest.fixture
def asked(monkeypatch):
    """Keeps what was asked for, and answers with figures."""
    found = []

    def run(self):
        found.append(self)
        rows = [{"images": 10, **dict.fromkeys(FIGURES, 0.5 + k / 8)} for k in range(2)]
        means = {name: {"mean": 0.5625, "std": 0.0884} for name in FIGURES}
        folds = {"by_fold": rows, "over_folds": means}
        figures = {name: {"value": 0.75, "low": 0.7, "high": None} for name in FIGURES}
        whole = {"images": 20, "bootstrap": {"confidence": 0.95, "unit": "patient"}, "figures": figures}
        return {"folds": 2, "validation": folds, "test": folds, "pooled": whole, "ensemble": whole}

    monkeypatch.setattr(BundleCrossValidation, "run", run)
    return found


def test_the_bundles_settings_stand_behind_the_commands_own(asked, tmp_path):
    words = ["--folds", "3", "--out", str(tmp_path), "--epochs", "4", "--fold_note=a b", "--overlay", "ema"]
    assert main(["cv", str(ENDO), *words]) == 0
    (found,) = asked
    assert (found.folds, found.overlays, found.out) == (3, ["ema"], tmp_path)
    assert found.settings == {"epochs": "4", "fold_note": "a b"}


def test_defaults(asked, tmp_path):
    assert main(["cv", str(tmp_path)]) == 0
    (tmp_path / "configs").mkdir()
    plan = {"decisions": [{"name": "folds", "value": 7}]}
    (tmp_path / "configs" / "plan.json").write_text(json.dumps(plan))
    assert main(["cv", str(tmp_path)]) == 0
    assert [found.folds for found in asked] == [5, 7]
    assert asked[0].out == tmp_path / "output" / "cv"


def test_the_table(asked, tmp_path, capsys):
    assert main(["cv", str(ENDO), "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "fold 1, left out" in shown
    assert "0.562 ± 0.088" in shown
    assert "0.750 (0.700 to undefined)" in shown
    assert "resampled by patient" in shown
    assert str(tmp_path / "ensemble" / "report.html") in shown


@pytest.mark.parametrize("words", [["--epochs"], ["12"], ["--epochs", "3", "left"]])
def test_words_that_are_no_settings(asked, words, capsys):
    assert main(["cv", str(ENDO), *words]) == 1
    assert "expected settings of the bundle as --name value" in capsys.readouterr().err
    assert asked == []


def test_no_bundle(tmp_path, capsys):
    assert main(["cv", str(tmp_path)]) == 1
    assert "train.json is missing: name the folder of a bundle" in capsys.readouterr().err


@pytest.mark.slow
def test_a_cross_validation(tmp_path, capfd):
    """Two folds on phantoms and their ensemble, stopped in between."""
    small = ["--epochs", "1", "--image_size", "32", "--batch_size", "32"]
    words = ["cv", str(ENDO), "--folds", "2", "--out", str(tmp_path / "cv"), *small]
    assert main([*words, "--learning_rate", "nonsense"]) == 1
    assert "fold 0 of 2, training: failed" in capfd.readouterr().err
    (tmp_path / "cv" / "asked.json").unlink()
    assert main(words) == 0
    content = json.loads((tmp_path / "cv" / "cross_validation.json").read_text())
    assert content["pooled"]["images"] == sum(row["images"] for row in content["validation"]["by_fold"]) == 336
    assert content["ensemble"]["images"] == 144
    before = (tmp_path / "cv" / "models" / "fold1" / "model.pt").stat().st_mtime_ns
    assert main(words) == 0  # nothing to do but the table
    assert (tmp_path / "cv" / "models" / "fold1" / "model.pt").stat().st_mtime_ns == before
