import pytest

from monai_medmamba.fingerprint.figures import classes_figure, sizes_figure, values_figure
from monai_medmamba.visualize.picture import png


def entry(name, **by_split):
    images = sum(by_split.values())
    return {"name": name, "images": images, "share": images / 100, "by_split": by_split}


def test_classes_are_parted_by_split():
    figure = classes_figure([entry("few $x$", training=2, test=1), entry("many", training=30, test=5)])
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["many", "few $x$"]
    assert [text.get_text().strip() for text in axes.texts] == ["35  (35.0%)", "3  (3.0%)"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "test"]
    assert png(figure)


def test_many_classes_without_split():
    figure = classes_figure([entry(str(i), unsplit=i) for i in range(60)])
    assert len(figure.axes[0].get_yticklabels()) == 40
    assert figure.axes[0].get_legend() is None


def test_sizes():
    figure = sizes_figure([64, 64, 64, 100], [64, 64, 64, 50])
    dots = figure.axes[0].collections[0]
    assert dots.get_offsets().tolist() == [[64, 64], [100, 50]]
    assert dots.get_sizes()[0] > dots.get_sizes()[1]
    assert figure.axes[0].get_xscale() == "linear"
    far = sizes_figure([10, 4000], [10, 3000])
    assert (png(far)[1:4], far.axes[0].get_xscale()) == (b"PNG", "log")
    assert {"10", "50", "1000"} <= {text.get_text() for text in far.axes[0].get_xticklabels()}
    assert [text.get_text() for text in sizes_figure([28], [30]).axes[0].texts] == ["28 x 30"]


@pytest.mark.parametrize(("scale", "label"), [("0 to 1", "black 0 to white 1"), ("units of the files", "units")])
def test_values(scale, label):
    figure = values_figure({"scale": scale, "modality": None, "histogram": {"from": 0, "to": 1, "shares": [0.25] * 4}})
    assert label in figure.axes[0].get_xlabel()
    assert png(figure)
