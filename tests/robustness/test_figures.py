import torch

from monai_medmamba.robustness import CORRUPTIONS, Robustness, RobustnessRow, corruption_figure, robustness_figure
from monai_medmamba.visualize.picture import png


def measured(*names):
    rows = [
        RobustnessRow(name, severity, float(severity) or None, 1 - severity / 10, 0.4, 1.0, 1.0, None, 0.9)
        for name in names
        for severity in range(6)
    ]
    return Robustness(20, 0, rows, torch.rand(3, 40, 40))


def test_curves():
    figure = robustness_figure(measured("noise", "jpeg", "rotation", "blur"))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Noise", "JPEG", "Rotation", "Blur"]
    curve = figure.axes[1].lines[1].get_ydata()
    assert list(curve) == [1 - severity / 10 for severity in range(6)]
    assert png(figure, 40)[1:4] == b"PNG"


def test_every_corruption():
    figure = corruption_figure(measured(*CORRUPTIONS))
    assert len(figure.axes) == 4 * len(CORRUPTIONS)
    assert png(figure, 40)[1:4] == b"PNG"


def test_one_corruption():
    assert len(robustness_figure(measured("noise")).axes) == 1
    assert len(corruption_figure(measured("noise")).axes) == 4
