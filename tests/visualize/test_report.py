import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import monai_medmamba.metrics
import monai_medmamba.visualize
from monai_medmamba.metrics import EvidenceSettings, classification_metrics, write_evidence, write_predictions
from monai_medmamba.visualize import write_report
from monai_medmamba.visualize.page_text import FILTERS
from monai_medmamba.visualize.picture import Picture
from monai_medmamba.visualize.traced import look_up
from testing.finding_runs import make_finding_run
from testing.runs import NAMES, make_run

OPTIONAL = {"matplotlib", "sklearn", "jinja2", "PIL"}


class Page(HTMLParser):
    """Collect tags, attributes and text, and check that tags close in order."""

    VOID = ("meta", "img", "br", "link")

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words, self.open = [], [], [], []
        self.traced, self.untraced, self._key = [], [], None
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self._key = dict(attrs) if tag == "span" else None
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self._key = None

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)
            if self._key is None:
                self.untraced.append(data)
            else:
                self.traced.append((self._key["data-key"], self._key["data-form"], data))

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def run_dir(tmp_path):
    """Give a complete run, whose folder names identify a patient."""
    return make_run(tmp_path)


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
    assert page.tags.count("img") == 9
    assert "missing" not in page.text


def test_page_is_complete_in_itself(run_dir):
    page = read(write_report(run_dir))
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    sources = [value for name, value in page.attributes if name in ("src", "href", "srcset")]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "url(" not in (run_dir / "report.html").read_text()


@pytest.mark.usefixtures("undrawn")
def test_images_of_another_kind(run_dir):
    text = read(write_report(run_dir)).text
    assert "knee <b> 1 200 0.910 72 %" in text
    assert "by distance and 6" in text
    (run_dir / "evaluation" / "foreign.json").unlink()
    write_evidence(run_dir, EvidenceSettings(resamples=20))
    assert "no folder of images of another kind was named (--foreign_dir)" in read(write_report(run_dir)).text


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
    assert page.tags.count("img") == 6
    assert "Some images could not be read and are not shown: test_" in page.text


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
    wrong, uncertain, right = sheets
    assert [row.image for row in wrong] == ["b", "c", "a"]
    assert [row.image for row in uncertain][:2] == ["a", "c"]
    assert [row.image for row in right] == ["d", "f", "e", "g"]


@pytest.mark.usefixtures("undrawn")
def test_failed_write_leaves_the_old_page(run_dir, monkeypatch):
    before = write_report(run_dir).read_text()
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        write_report(run_dir, title="new")
    assert (run_dir / "report.html").read_text() == before
    assert not [path.name for path in run_dir.iterdir() if path.name.startswith(".")]


def test_missing_metrics(tmp_path):
    with pytest.raises(FileNotFoundError, match="evaluate the run"):
        write_report(tmp_path)


def test_every_number_of_the_page_stands_in_the_json(run_dir):
    page = read(write_report(run_dir, title="A page"))
    content = json.loads((run_dir / "report.json").read_text(encoding="utf-8"))
    assert len(page.traced) > 150
    for where, form, text in page.traced:
        value = look_up(content, where)
        assert value is not None, where
        assert FILTERS[form](value) == text, where
    assert {where for where, _, _ in page.traced} >= {
        *("/metrics/auc", "/evidence/figures/auc/low", "/evidence/calibration/after/ece", "/run/config/epochs"),
        *("/evidence/operating_points/0/test/npv/high", "/evidence/subgroups/0/rows/1/figures/auc/value"),
    }
    # What is not traced holds no number: only names that have a digit in them.
    words = " ".join(page.untraced).replace("F1 score", "").replace("report.json", "")
    assert not re.findall(r"[^ ]*[0-9][^ ]*", words)


def test_every_picture_names_its_numbers(run_dir):
    page = read(write_report(run_dir))
    content = json.loads((run_dir / "report.json").read_text(encoding="utf-8"))
    keys = [value for name, value in page.attributes if name == "data-key" and value.count("/") <= 3]
    drawn = [
        "/history",
        "/metrics/confusion_matrix",
        "/evidence/curves/roc",
        "/evidence/calibration",
        "/examples/wrong",
    ]
    assert set(drawn) <= set(keys)
    assert all(look_up(content, where) for where in drawn)


@pytest.mark.usefixtures("undrawn")
def test_model_card_and_checklists_are_filled(run_dir):
    write_report(run_dir, title="A <run>")
    card = (run_dir / "model_card.md").read_text(encoding="utf-8")
    metrics = json.loads((run_dir / "evaluation" / "metrics.json").read_text())
    row = metrics["per_class"][2]
    assert f"| ulcer | {row['support']} | {row['precision']:.3f} | {row['sensitivity']:.3f} |" in card
    assert "Not for diagnostic use" in card
    assert "A &lt;run&gt;" in card
    for name in ("claim_2024", "tripod_ai"):
        text = (run_dir / "checklists" / f"{name}.md").read_text(encoding="utf-8")
        assert "To be written by the authors." in text
        assert "Split by patient" in text
        assert str(run_dir.parent) not in text + card


@pytest.mark.usefixtures("undrawn")
def test_without_evidence_the_page_says_so(run_dir):
    (run_dir / "evaluation" / "evidence.json").unlink()
    page = read(write_report(run_dir))
    assert "evidence.json is missing: intervals, curves, calibration and subgroups cannot be shown." in page.text
    assert "Operating points" not in page.text


@pytest.mark.usefixtures("undrawn")
def test_quadratic_kappa_is_shown_for_ordered_classes(run_dir):
    assert "quadratic" not in read(write_report(run_dir)).text
    path = run_dir / "evaluation" / "evidence.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "ordinal": True}))
    assert "quadratic" in read(write_report(run_dir)).text


def test_a_browser_shows_the_page_without_network(run_dir, tmp_path):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    page = write_report(run_dir)
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    offline = ["--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1100,900"]
    done = subprocess.run(
        [*command, *offline, "--dump-dom", page.as_uri()], capture_output=True, text=True, check=True, timeout=120
    )
    shown = Page(done.stdout)
    assert shown.text == read(page).text
    shot = tmp_path / "page.png"
    subprocess.run(
        [*command, *offline, f"--screenshot={shot}", page.as_uri()], capture_output=True, check=True, timeout=120
    )
    from PIL import Image

    with Image.open(shot) as picture:
        assert picture.size == (1100, 900)
        assert len(picture.convert("L").getcolors(256)) > 50  # a page in ink, no empty sheet


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


@pytest.mark.usefixtures("undrawn")
def test_several_labels_and_what_the_page_leaves_out(tmp_path):
    run = make_finding_run(tmp_path, images=60, resamples=20)
    page = read(write_report(run))
    content = json.loads((run / "report.json").read_text())
    assert "What is left out" in page.text
    assert "60 images · 3 labels" in page.text
    for missing in ("Rows are the truth", "Leaving doubtful images to a reader", "Most confident errors", "Class "):
        assert missing not in page.text
    for there in ("Figures by label", "Images with every label right", "Operating points", "site", "edema <b>"):
        assert there in page.text
    for key, form, shown in page.traced:
        assert FILTERS[form](look_up(content, key)) == shown, key
    assert "Any number of these labels an image" in (run / "model_card.md").read_text()
