"""An evaluated run of several labels an image, made up."""

import json
from pathlib import Path

import numpy as np

from monai_medmamba.metrics import EvidenceSettings, multilabel_metrics, write_evidence, write_findings

LABELS = ["mass", "edema <b>", "nodule"]


def make_finding_run(folder: Path, images: int = 80, resamples: int = 120) -> Path:
    """Return the folder of a run with predictions, metrics, data list, record and evidence."""
    rng = np.random.default_rng(0)
    run, items = folder / "run", {}
    for split, name in (("validation", "validation"), ("test", "predictions")):
        truth = rng.random((images, len(LABELS))) < (0.3, 0.5, 0.2)
        truth[:5] = False
        scores = (1 / (1 + np.exp(-2 * rng.normal(size=truth.shape) - 3 * truth + 1.5))).astype(np.float32)
        paths = [f"{split}_{place}.png" for place in range(images)]
        write_findings(run / "evaluation" / f"{name}.csv", [folder / path for path in paths], truth, scores, LABELS)
        items[split] = [
            {"image": path, "label": row, "patient": f"{split}{place // 2}"}
            for place, (path, row) in enumerate(zip(paths, truth.astype(int).tolist(), strict=True))
        ]
    metrics = {"split": "test", "images": images, "temperature": 1.0, "several_labels": True}
    metrics |= multilabel_metrics(scores, truth, LABELS)
    (run / "evaluation" / "metrics.json").write_text(json.dumps(metrics))
    (run / "datalist.json").write_text(
        json.dumps({"class_names": LABELS, "root": str(folder), "training": [], **items})
    )
    rows = [f"{item['image']},{'ns'[place % 2]}" for place, item in enumerate(items["test"])]
    (folder / "table.csv").write_text("path,site\n" + "\n".join(rows))
    counts = dict(zip(LABELS, truth.sum(axis=0).tolist(), strict=True))
    (run / "run.json").write_text(json.dumps({"class_names": LABELS, "counts": {"test": counts}, "variant": "nano"}))
    write_evidence(run, EvidenceSettings(resamples=resamples))
    return run
