import sys
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from monai_medmamba.visualize import confusion_matrix_figure
from monai_medmamba.visualize.picture import png


def names_of(number):
    return [f"class-of-finding-{i}" for i in range(number)]


def test_cells_show_counts_and_shares_in_place():
    axes = confusion_matrix_figure([[3, 1], [0, 4]], ["normal", "polyp"]).axes[0]
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    assert cells == {(0, 0): "3\n75%", (1, 0): "1\n25%", (0, 1): "0", (1, 1): "4\n100%"}
    assert [label.get_text() for label in axes.get_xticklabels()] == ["normal", "polyp"]
    assert axes.get_ylabel() == "True class"


def test_colour_is_the_share_of_the_row():
    image = confusion_matrix_figure([[1, 1], [0, 100]], ["rare", "frequent"]).axes[0].images[0]
    np.testing.assert_allclose(image.get_array(), [[0.5, 0.5], [0, 1]])
    assert image.get_clim() == (0, 1)


def test_class_without_images_stays_empty():
    image = confusion_matrix_figure([[0, 0], [0, 5]], ["absent", "polyp"]).axes[0].images[0]
    np.testing.assert_array_equal(image.get_array()[0], [0, 0])


def test_text_stands_out_from_its_cell():
    axes = confusion_matrix_figure([[90, 10], [45, 55]], ["a", "b"]).axes[0]
    for text in axes.texts:
        column, row = text.get_position()
        cell = axes.images[0].to_rgba(axes.images[0].get_array())[row, column]
        difference = np.dot([0.2126, 0.7152, 0.0722], (cell - np.array(to_rgba(text.get_color())))[:3])
        assert abs(difference) > 0.3


@pytest.mark.parametrize("number", [2, 8, 20])
def test_labels_do_not_overlap_and_stay_inside(number):
    figure = confusion_matrix_figure(np.full((number, number), 1234), names_of(number))
    png(figure, 50)
    renderer = figure._get_renderer()
    axes = figure.axes[0]
    rows = [label.get_window_extent(renderer) for label in axes.get_yticklabels()]
    assert all(not a.overlaps(b) for a, b in pairwise(rows))
    cells = [text.get_window_extent(renderer) for text in axes.texts[:number]]
    assert all(a.x1 < b.x0 for a, b in pairwise(cells))
    assert all(box.x0 >= 0 and box.y1 <= figure.bbox.y1 for box in rows)


def test_names_with_markup_are_plain_text():
    png(confusion_matrix_figure([[1, 0], [0, 1]], [r"a$\frac{$", "_b"]), 40)


def test_pyplot_stays_out():
    confusion_matrix_figure([[1, 0], [0, 1]], ["a", "b"])
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 2]], r"\(2, 2\).*got \(1, 2\)"),
        ([[1, 2, 3]] * 3, r"got \(3, 3\)"),
        ([[1, -1], [0, 1]], "negative"),
        ([[1, float("nan")], [0, 1]], "non-finite"),
    ],
)
def test_invalid_arguments(matrix, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix_figure(matrix, ["a", "b"])
