import json

import pytest

from monai_medmamba.visualize import reliability_figure, risk_coverage_figure
from testing.runs import make_run


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("run"))
    return json.loads((run / "evaluation" / "evidence.json").read_text())


def test_reliability_before_and_after(evidence):
    calibration = evidence["calibration"]
    above = reliability_figure(calibration).axes[:2]
    for axes, part in zip(above, ("before", "after"), strict=True):
        line = axes.get_lines()[-1]
        assert line.get_xdata().tolist() == [row["confidence"] for row in calibration[part]["bins"]]
        assert line.get_ydata().tolist() == [row["accuracy"] for row in calibration[part]["bins"]]
        assert f"{calibration[part]['ece']:.3f}" in axes.texts[0].get_text()
    assert f"{calibration['temperature']:.2f}" in above[1].get_title(loc="left")


def test_risk_and_the_chosen_point(evidence):
    kept = evidence["abstention"]
    curve, point = risk_coverage_figure(kept).axes[0].get_lines()
    assert curve.get_ydata().tolist() == kept["risk"]
    assert point.get_ydata()[0] == pytest.approx(1 - kept["test"]["accuracy"]["value"])
    assert len(risk_coverage_figure({**kept, "threshold": None}).axes[0].get_lines()) == 1
