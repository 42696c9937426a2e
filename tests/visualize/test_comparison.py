import re

import numpy as np
import pytest

from monai_medmamba.metrics import Bootstrap, Predictions, compare_predictions
from monai_medmamba.visualize.comparison import differences_figure, write_comparison
from monai_medmamba.visualize.page_text import FILTERS
from monai_medmamba.visualize.traced import look_up


@pytest.fixture(scope="module")
def content():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 90)
    runs = []
    for skill in (1, 3):
        logits = rng.normal(size=(90, 3)) + skill * np.eye(3)[labels]
        scores = np.float32(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
        runs.append(Predictions([f"{i}.png" for i in range(90)], labels, scores, ["a", "b", "c"]))
    return {"first": "old", "second": "new <b>", **compare_predictions(*runs, Bootstrap(resamples=150))}


def test_every_number_of_the_page_stands_in_the_content(content, tmp_path):
    page = write_comparison(tmp_path / "page.html", content).read_text(encoding="utf-8")
    traced = re.findall(r'<span data-key="([^"]*)" data-form="(\w+)">([^<]*)</span>', page)
    assert len(traced) > 60
    for where, form, text in traced:
        value = look_up(content, where)
        assert value is not None
        if form == "signed":
            assert text == f"{value:+.3f}"
        elif form in FILTERS and form != "text":
            assert text == FILTERS[form](value)
    assert "new <b>" not in page
    assert not re.search(r"https?://|<script", page)


def test_the_better_side_is_right(content):
    axes = differences_figure(content).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    drawn = {name: axes.get_lines()[2 + 2 * place].get_xdata()[0] for place, name in enumerate(names)}
    assert drawn["AUC"] == content["figures"]["auc"]["difference"]["value"] > 0
    assert drawn["Brier score"] == -content["figures"]["brier"]["difference"]["value"] > 0
