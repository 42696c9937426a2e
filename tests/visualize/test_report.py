import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import monai_medmamba.metrics
import monai_medmamba.visualize
from monai_medmamba.metrics import classification_metrics, write_predictions
from monai_medmamba.visualize import write_report
from monai_medmamba.visualize.picture import Picture

NAMES = ["normal", "polyp <b>", "ulcer"]
OPTIONAL = {"matplotlib", "sklearn", "jinja2", "PIL"}


class Page(HTMLParser):
    """Collect tags, attributes and text, and check that tags close in order."""

    VOID = ("meta", "img", "br", "link")

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words, self.open = [], [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def run_dir(tmp_path):
    """Give a complete run of 30 images, whose folder names identify a patient."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 10)
    scores = rng.dirichlet([1, 1, 1], size=30) * 0.6 + 0.4 * np.eye(3)[labels]
    images = []
    for i in range(30):
        path = tmp_path / "Doe^Jane" / f"scan_{i}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(path)
        images.append(path)
    run = tmp_path / "run"
    write_predictions(run / "evaluation" / "predictions.csv", images, labels, scores, NAMES)
    metrics = classification_metrics(scores, labels, NAMES)
    metrics |= {"split": "test", "images": 30, "checkpoint": str(tmp_path / "Doe^Jane" / "best.pt")}
    (run / "evaluation" / "metrics.json").write_text(json.dumps(metrics))
    (run / "history.csv").write_text("epoch,train_loss,learning_rate,val_auc\n1,2,0.1,0.6\n2,1,0.05,0.8\n")
    description = {
        "dataset": str(tmp_path / "Doe^Jane"),
        "dataset_kind": "phantoms",
        "class_names": NAMES,
        "counts": {"train": dict.fromkeys(NAMES, 1234), "test": dict.fromkeys(NAMES, 10)},
        "config": {"epochs": 2, "amp": False, "dataset_dir": str(tmp_path / "Doe^Jane" / "kvasir")},
        "versions": {"torch": "2.13.0"},
        "device": "CPU",
        "started": "2026-01-02 03:04",
        "seconds": 125,
        "parameters": 2013448,
        "variant": "medmamba_nano",
    }
    (run / "run.json").write_text(json.dumps(description))
    return run


@pytest.fixture
def undrawn(monkeypatch):
    """Leave out the rendering, where a test is about words."""
    for module in (monai_medmamba.visualize.report, monai_medmamba.visualize.example_sheet):
        monkeypatch.setattr(module, "embed", lambda figure: Picture("data:image/png;base64,", 1))


def read(path):
    return Page(path.read_text(encoding="utf-8"))


def test_page_shows_the_run(run_dir):
    page = read(write_report(run_dir, title="A <i>title</i>"))
    metrics = json.loads((run_dir / "evaluation" / "metrics.json").read_text())
    for name in ("accuracy", "balanced_accuracy", "auc", "precision", "sensitivity", "specificity", "f1"):
        assert f"{metrics[name]:.3f}" in page.words
    for row in metrics["per_class"]:
        assert f"{row['auc']:.3f}" in page.words
    for text in ("A <i>title</i>", "polyp <b>", "Not for diagnostic use.", "2 min 05 s", "best.pt", "medmamba_nano"):
        assert text in page.words or text in page.text
    assert "1\N{NARROW NO-BREAK SPACE}234" in page.words
    assert "Trained on synthetic phantoms: figures say nothing about patients." in page.text
    assert page.tags.count("img") == 4
    assert "missing" not in page.text


def test_page_is_complete_in_itself(run_dir):
    page = read(write_report(run_dir))
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    sources = [value for name, value in page.attributes if name in ("src", "href", "srcset")]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "url(" not in (run_dir / "report.html").read_text()


@pytest.mark.usefixtures("undrawn")
def test_no_folder_name_reaches_the_page(run_dir):
    text = write_report(run_dir).read_text(encoding="utf-8")
    assert "Doe^Jane/" not in text
    assert str(run_dir.parent) not in text
    assert os.sep + "Doe" not in text


@pytest.mark.usefixtures("undrawn")
def test_warning_of_phantoms_is_theirs_alone(run_dir):
    run = json.loads((run_dir / "run.json").read_text())
    (run_dir / "run.json").write_text(json.dumps(run | {"dataset_kind": "folder"}))
    text = read(write_report(run_dir)).text
    assert "synthetic" not in text
    assert "Not for diagnostic use." in text


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("history.csv", "history.csv is missing or holds no epoch: the training curves cannot be shown."),
        ("run.json", "run.json is missing: configuration and versions cannot be shown."),
        ("evaluation/predictions.csv", "evaluation/predictions.csv is missing: example predictions cannot be shown."),
    ],
)
def test_missing_file_is_said(run_dir, name, sentence):
    (run_dir / name).unlink()
    text = read(write_report(run_dir)).text
    assert sentence in text
    assert text.count("is missing") == (2 if name == "run.json" else 1)


@pytest.mark.usefixtures("undrawn")
def test_metrics_alone_make_a_page(tmp_path):
    (tmp_path / "evaluation").mkdir()
    metrics = classification_metrics([[0.7, 0.2, 0.1], [0.4, 0.5, 0.1]], [0, 0], NAMES)
    (tmp_path / "evaluation" / "metrics.json").write_text(json.dumps(metrics))
    text = read(write_report(tmp_path)).text
    assert "Undefined, and left out of the mean: Precision, Sensitivity, F1 score of polyp <b>, ulcer;" in text
    assert "Specificity undefined" in text
    assert "Accuracy 0.500" in text


@pytest.mark.usefixtures("undrawn")
def test_never_predicted_class_is_said(run_dir):
    metrics = json.loads((run_dir / "evaluation" / "metrics.json").read_text())
    (run_dir / "evaluation" / "metrics.json").write_text(json.dumps(metrics | {"never_predicted": ["ulcer"]}))
    assert "Never predicted, precision counted as 0: ulcer." in read(write_report(run_dir)).text


@pytest.mark.usefixtures("undrawn")
def test_unreadable_images_are_said(run_dir):
    for image in (run_dir.parent / "Doe^Jane").iterdir():
        image.write_bytes(b"")
    page = read(write_report(run_dir))
    assert page.tags.count("img") == 2
    assert "images could not be read and are not shown: scan_" in page.text


@pytest.mark.usefixtures("undrawn")
def test_unlabelled_predictions_are_said(run_dir):
    write_predictions(run_dir / "evaluation" / "predictions.csv", ["a.png"], None, [[0.5, 0.25, 0.25]], NAMES)
    assert "predictions.csv holds no true labels" in read(write_report(run_dir)).text


@pytest.mark.usefixtures("undrawn")
def test_perfect_run(run_dir):
    write_predictions(run_dir / "evaluation" / "predictions.csv", ["a.png"], [0], [[0.5, 0.25, 0.25]], NAMES)
    assert "No image was classified wrongly." in read(write_report(run_dir)).text


@pytest.mark.usefixtures("undrawn")
def test_most_confident_errors_come_first(run_dir, monkeypatch):
    sheets = []
    empty = monai_medmamba.visualize.example_sheet.Sheet(None, 0, [])
    monkeypatch.setattr(
        monai_medmamba.visualize.report, "draw_sheet", lambda rows, most, folder: sheets.append(rows) or empty
    )
    top = np.array([0.6, 0.9, 0.7, 0.8, 0.8, 0.8, 0.8])
    scores = np.stack([top, (1 - top) / 2, (1 - top) / 2], axis=1)
    scores[-2:] = scores[-2:, [1, 0, 2]]
    write_predictions(run_dir / "evaluation" / "predictions.csv", list("abcdefg"), [1, 2, 1, 0, 0, 1, 1], scores, NAMES)
    write_report(run_dir)
    wrong, right = sheets
    assert [row.image for row in wrong] == ["b", "c", "a"]
    assert [row.image for row in right] == ["d", "f", "e", "g"]


@pytest.mark.usefixtures("undrawn")
def test_failed_write_leaves_the_old_page(run_dir, monkeypatch):
    before = write_report(run_dir).read_text()
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        write_report(run_dir, title="new")
    assert (run_dir / "report.html").read_text() == before
    assert sorted(path.name for path in run_dir.iterdir()) == ["evaluation", "history.csv", "report.html", "run.json"]


def test_missing_metrics(tmp_path):
    with pytest.raises(FileNotFoundError, match="evaluate the run"):
        write_report(tmp_path)


@pytest.mark.parametrize("room", ["metrics", "visualize"])
def test_importing_the_room_loads_nothing_optional(room):
    package = Path(monai_medmamba.metrics.__file__).parents[1]
    program = (
        "import sys, types\n"
        f"parent = types.ModuleType('monai_medmamba'); parent.__path__ = [{str(package)!r}]\n"
        "sys.modules['monai_medmamba'] = parent\n"
        f"import monai_medmamba.{room}\n"
        f"print(sorted(set(sys.modules) & {OPTIONAL!r}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
