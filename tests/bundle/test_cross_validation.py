"""The steps of a cross-validation, without training anything."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from monai_medmamba.bundle import BundleCrossValidation, find_overlay
from testing.bundles import ROOT

BUNDLE = ROOT / "bundles" / "medmamba_endo"


@pytest.fixture
def ran(monkeypatch):
    """Stands in for MONAI: leaves the files that tell that a step is done; a step whose name is in fail does not."""
    calls, fail = [], set()

    def run(words, check):
        told = dict(word[2:].partition("=")[::2] for word in words if word.startswith("--"))
        kind, folder = words[4], told["output_dir"]
        name = f"{folder.rsplit('/', 1)[-1]} {kind}"
        calls.append((name, told))
        if name in fail:
            return SimpleNamespace(returncode=3)
        from pathlib import Path

        target = Path(folder) / ("run.json" if kind == "training" else "evaluation/evidence.json")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps({"seconds": 1.0}))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("monai_medmamba.bundle.cross_validation.pool_folds", lambda *_: None)
    monkeypatch.setattr("monai_medmamba.bundle.cross_validation.fold_figures", lambda *_: {"folds": 2})
    return SimpleNamespace(calls=calls, fail=fail)


def make(out, **changes):
    return BundleCrossValidation(BUNDLE, out, **{"folds": 2, "settings": {"epochs": "3"}, **changes})


def test_every_fold_is_trained_and_evaluated_and_then_the_ensemble(ran, tmp_path):
    assert make(tmp_path / "cv").run() == {"folds": 2}
    names = ["fold0 training", "fold0 evaluating", "fold1 training", "fold1 evaluating", "ensemble evaluating"]
    assert [name for name, _ in ran.calls] == names
    training, ensemble = ran.calls[2][1], ran.calls[4][1]
    overlays = [str(find_overlay(name).path) for name in ("resume", "fold")]
    assert training["config_file"] == str([str(BUNDLE / "configs" / "train.json"), *overlays])
    assert (training["fold"], training["folds"], training["epochs"]) == ("1", "2", "3")
    assert training["ckpt_dir"] == str(tmp_path / "cv" / "models" / "fold1")
    assert ensemble["ckpt_dir"] == str(tmp_path / "cv" / "models")
    assert "fold" not in ensemble
    assert ensemble["config_file"].endswith("ensemble.json']")


def test_a_second_call_goes_on_where_the_first_failed(ran, tmp_path, caplog):
    ran.fail.add("fold1 training")
    with pytest.raises(RuntimeError, match=r"fold 1 of 2, training: failed with exit status 3"):
        make(tmp_path).run()
    ran.fail.clear()
    ran.calls.clear()
    make(tmp_path).run()
    assert [name for name, _ in ran.calls] == ["fold1 training", "fold1 evaluating", "ensemble evaluating"]


def test_a_training_that_was_stopped_is_not_done(ran, tmp_path):
    make(tmp_path).run()
    (tmp_path / "fold0" / "run.json").write_text(json.dumps({"seconds": None}))
    ran.calls.clear()
    make(tmp_path).run()
    assert [name for name, _ in ran.calls] == ["fold0 training"]


def test_another_question_needs_another_folder(ran, tmp_path):
    make(tmp_path).run()
    with pytest.raises(ValueError, match=r"begun with other settings: settings .*'3'.*now .*'4'"):
        make(tmp_path, settings={"epochs": "4"}).run()
    with pytest.raises(ValueError, match=r"overlays \[\], now \['ema'\]"):
        make(tmp_path, overlays=["ema"]).run()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"folds": 1}, ValueError, "expected 2 folds or more, got 1"),
        ({"bundle": "nothing"}, FileNotFoundError, r"train\.json is missing: name the folder of a bundle"),
        ({"overlays": ["nothing"]}, ValueError, "expected the name of an overlay"),
        ({"settings": {"ckpt_dir": "x"}}, ValueError, "--ckpt_dir: the folds decide that"),
    ],
)
def test_invalid_arguments(ran, tmp_path, changes, error, message):
    bundle = changes.pop("bundle", BUNDLE)
    with pytest.raises(error, match=message):
        BundleCrossValidation(bundle, tmp_path, **{"folds": 2, **changes}).run()
    assert ran.calls == []
    assert list(tmp_path.iterdir()) == []


def test_the_interpreter_is_this_one(tmp_path):
    assert next(make(tmp_path).steps()).words[:5] == (sys.executable, "-m", "monai.bundle", "run", "training")
