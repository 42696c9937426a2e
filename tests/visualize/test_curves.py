import json

import numpy as np
import pytest

from monai_medmamba.visualize import curves_figure
from testing.runs import make_run


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("run"))
    return json.loads((run / "evaluation" / "evidence.json").read_text())


@pytest.mark.parametrize(("kind", "area"), [("roc", "auc"), ("precision_recall", "average_precision")])
def test_a_panel_a_class_with_curve_band_and_area(evidence, kind, area):
    figure = curves_figure(evidence, kind)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == ["normal", "polyp <b>", "ulcer"]
    for axes, curve, row in zip(panels, evidence["curves"][kind]["classes"], evidence["per_class"], strict=True):
        drawn = axes.get_lines()[0].get_ydata()
        assert drawn.tolist() == curve["value"]
        assert axes.texts[0].get_text().split()[1] == f"{row[area]['value']:.3f}"
        assert len(axes.collections) == 1


def test_guessing_has_the_precision_of_the_share(evidence):
    axes = curves_figure(evidence, "precision_recall").axes[0]
    share = evidence["per_class"][0]["support"] / sum(row["support"] for row in evidence["per_class"])
    assert axes.get_lines()[1].get_ydata()[0] == pytest.approx(share)


def test_of_two_classes_the_second_is_shown(evidence):
    two = {**evidence, "per_class": evidence["per_class"][:2]}
    two["curves"] = {kind: {**part, "classes": part["classes"][:2]} for kind, part in evidence["curves"].items()}
    assert [axes.get_title(loc="left") for axes in curves_figure(two, "roc").axes] == ["polyp <b>"]


def test_a_class_without_images_has_an_empty_panel(evidence):
    nothing = {"value": None, "low": None, "high": None}
    lacking = json.loads(json.dumps(evidence))
    lacking["per_class"][0] |= {"auc": nothing, "support": 0}
    lacking["curves"]["roc"]["classes"][0] |= dict.fromkeys(nothing, [None] * 101)
    axes = curves_figure(lacking, "roc").axes[0]
    assert axes.texts[0].get_text() == "AUC undefined"
    assert np.isnan(axes.get_lines()[0].get_ydata().astype(float)).all()


def test_invalid_arguments(evidence):
    with pytest.raises(ValueError, match="expected a kind of roc, precision_recall"):
        curves_figure(evidence, "lift")


def test_several_labels_share_of_all_images_and_both_of_two(evidence):
    several = {**evidence, "several_labels": True, "images": 1000}
    several["per_class"] = several["per_class"][:2]
    several["curves"] = {
        kind: {**curves, "classes": curves["classes"][:2]} for kind, curves in evidence["curves"].items()
    }
    panels = curves_figure(several, "precision_recall").axes
    assert len(panels) == 2
    share = evidence["per_class"][0]["support"] / 1000
    assert panels[0].get_lines()[1].get_ydata()[0] == pytest.approx(share)
