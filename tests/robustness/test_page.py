import csv
import json
import re

import torch

from monai_medmamba.robustness import Robustness, RobustnessRow, write_robustness


def rows_of(*names, fall=0.1):
    return [
        RobustnessRow(name, severity, float(severity) or None, 0.9 - severity * fall, 0.3, 1.0, None, None, 0.95)
        for name in names
        for severity in range(6)
    ]


def test_files(still_classifier, tmp_path):
    measured = Robustness(40, 3, rows_of("noise", "motion"), torch.rand(3, 32, 32))
    page = write_robustness(tmp_path / "out", measured, still_classifier, dataset="/data/Doe^Jane/set <x>")
    assert {path.name for path in page.parent.iterdir()} == {"robustness.json", "robustness.csv", "robustness.html"}

    content = json.loads((tmp_path / "out" / "robustness.json").read_text("utf-8"))
    assert (content["dataset"], content["images"], content["seed"]) == ("set <x>", 40, 3)
    assert content["rows"][5]["accuracy"] == measured.rows[5].accuracy
    assert list(content["corruptions"]) == ["noise", "motion"]

    with (tmp_path / "out" / "robustness.csv").open(newline="", encoding="utf-8") as stream:
        table = list(csv.DictReader(stream))
    assert [float(row["accuracy"]) for row in table] == [row.accuracy for row in measured.rows]

    text = page.read_text("utf-8")
    assert "set &lt;x&gt;" in text
    assert "Doe" not in text + json.dumps(content)
    assert "<script" not in text
    assert not re.search(r'(?:src|href)="(?!data:)', text)  # nothing is fetched
    assert "to 40.0&nbsp;% at severity 5" in text
    assert "Synthetic" not in text


def test_phantoms_are_named(still_classifier, tmp_path):
    measured = Robustness(40, 3, rows_of("noise"), torch.rand(3, 32, 32))
    page = write_robustness(tmp_path, measured, still_classifier, dataset="", phantoms=True)
    assert "Synthetic phantoms: figures say nothing about patients." in page.read_text("utf-8")


def test_no_fall(still_classifier, tmp_path):
    measured = Robustness(40, 3, rows_of("noise", fall=0), torch.rand(3, 32, 32))
    assert "largest fall" not in write_robustness(tmp_path, measured, still_classifier, dataset="x").read_text("utf-8")
