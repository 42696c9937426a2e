"""A complete evaluated run, made up: what an evaluation leaves in a folder."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from monai_medmamba.metrics import (
    EvidenceSettings,
    Predictions,
    apply_temperature,
    classification_metrics,
    fit_temperature,
    write_evidence,
    write_predictions,
)

NAMES = ["normal", "polyp <b>", "ulcer"]


def predict(folder: Path, split: str, count: int, seed: int) -> Predictions:
    """Write small pictures and say something about them; patients' folder names must never reach a report."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(NAMES), count)
    logits = 3 * rng.normal(size=(count, len(NAMES))) + 5 * np.eye(len(NAMES))[labels]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    images = []
    for place in range(count):
        path = folder / "Doe^Jane" / f"{split}_{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(path)
        images.append(str(path))
    return Predictions(images, labels, scores.astype(np.float32), NAMES)


def make_run(folder: Path, images: int = 90, resamples: int = 150) -> Path:
    """Return the folder of a run with predictions, data list, history, record and evidence."""
    run = folder / "run"
    validation, test = predict(folder, "val", images // 2, 0), predict(folder, "test", images, 1)
    temperature = fit_temperature(validation)["temperature"]
    for name, found in (("validation", validation), ("predictions", test)):
        scores = apply_temperature(found.probabilities, temperature)
        write_predictions(run / "evaluation" / f"{name}.csv", found.images, found.labels, scores, NAMES)
    scores = apply_temperature(test.probabilities, temperature)
    metrics = {"split": "test", "images": images, "checkpoint": str(folder / "Doe^Jane" / "best.pt")}
    metrics |= {"temperature": temperature, **classification_metrics(scores, test.labels, NAMES)}
    (run / "evaluation" / "metrics.json").write_text(json.dumps(metrics))
    splits = {"training": [], "validation": _items(folder, validation), "test": _items(folder, test)}
    (run / "datalist.json").write_text(json.dumps({"class_names": NAMES, "root": str(folder), **splits}))
    rows = [f"{item['image']},{item['patient']},{'ns'[place % 2]}" for place, item in enumerate(splits["test"])]
    (folder / "table.csv").write_text("path,patient,site\n" + "\n".join(rows))
    (run / "history.csv").write_text("epoch,train_loss,learning_rate,val_auc\n1,2,0.1,0.6\n2,1,0.05,0.8\n")
    (run / "run.json").write_text(json.dumps(_record(folder)))
    judged = {"auroc": 0.91, "familiar_refused": 0.06, "foreign_refused": 0.72}
    sets = [{"name": "knee <b>", "images": 1200, "distance": judged, "energy": {**judged, "auroc": 0.55}}]
    foreign = {"familiar": images, "accepted": 0.95, "sets": sets}
    (run / "evaluation" / "foreign.json").write_text(json.dumps(foreign))
    write_evidence(run, EvidenceSettings(resamples=resamples))
    return run


def _items(folder: Path, found: Predictions) -> list[dict[str, object]]:
    return [
        {
            "image": str(Path(image).relative_to(folder)),
            "label": int(label),
            "patient": f"{Path(image).stem[0]}{place // 2}",
        }
        for place, (image, label) in enumerate(zip(found.images, found.truth, strict=True))
    ]


def _record(folder: Path) -> dict[str, object]:
    return {
        "dataset": str(folder / "Doe^Jane"),
        "dataset_kind": "phantoms",
        "class_names": NAMES,
        "counts": {"train": dict.fromkeys(NAMES, 1234), "test": dict.fromkeys(NAMES, 10)},
        "config": {"epochs": 2, "amp": False, "dataset_dir": str(folder / "Doe^Jane" / "kvasir")},
        "versions": {"torch": "2.13.0"},
        "device": "CPU",
        "started": "2026-01-02 03:04",
        "seconds": 125,
        "parameters": 2013448,
        "variant": "medmamba_nano",
    }
