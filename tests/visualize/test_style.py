from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from monai_medmamba.visualize.style import SEQUENTIAL, SERIES, shorten, styled


def luminance(colour):
    return float(np.dot([0.2126, 0.7152, 0.0722], to_rgb(colour)))


def test_settings_hold_inside_and_end_outside():
    before = dict(matplotlib.rcParams)
    sizes = []

    @styled
    def draw():
        sizes.append(matplotlib.rcParams["axes.spines.top"])
        return Figure()

    assert isinstance(draw(), Figure)
    assert sizes == [False]
    assert dict(matplotlib.rcParams) == before


def test_fonts_are_installed_ones_only(monkeypatch):
    monkeypatch.setattr("matplotlib.font_manager.get_font_names", lambda: ["PingFang SC", "DejaVu Sans", "Comic"])
    families = []
    styled(lambda: families.extend(matplotlib.rcParams["font.family"]) or Figure())()
    assert families == ["DejaVu Sans", "PingFang SC"]


def test_settings_end_when_drawing_fails():
    before = dict(matplotlib.rcParams)

    @styled
    def draw():
        raise ValueError("no data")

    with pytest.raises(ValueError, match="no data"):
        draw()
    assert dict(matplotlib.rcParams) == before


def test_sequential_colours_darken_steadily():
    values = [luminance(colour) for colour in SEQUENTIAL]
    assert values == sorted(values, reverse=True)
    assert min(a - b for a, b in pairwise(values)) > 0.05


def test_series_colours_differ():
    assert len(set(SERIES)) == len(SERIES)


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("polyp", 5, "polyp"),
        ("polyps", 5, "po…ps"),
        ("abcdefgh", 4, "ab…h"),
        ("", 3, ""),
        ("caf\udce9", 10, "caf?"),
    ],
)
def test_shorten(text, most, expected):
    assert shorten(text, most) == expected
