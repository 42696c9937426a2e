import pytest

from monai_medmamba.visualize.traced import Traced, look_up, pointer

CONTENT = {"a/b": [{"c~d": 0.25}, (1, 2)], "row": {"low": 0.1, "high": 0.9}, "open": {"low": None}}


def test_a_pointer_finds_what_it_was_made_from():
    where = pointer("a/b", 0, "c~d")
    assert where == "/a~1b/0/c~0d"
    assert look_up(CONTENT, where) == 0.25
    assert look_up(CONTENT, pointer("a/b", 1, 1)) == 2


@pytest.mark.parametrize("where", ["/none", "/a~1b/9", "/a~1b/x", "/row/low/deeper"])
def test_nothing_there(where):
    assert look_up(CONTENT, where) is None


def test_markup_is_escaped():
    text = str(Traced({'<"': "<b>"}, {"text": str})('<"', form="text"))
    assert text == '<span data-key="/&lt;&#34;" data-form="text">&lt;b&gt;</span>'


def test_an_interval_has_both_ends_or_nothing():
    n = Traced(CONTENT, {"figure": "{:.1f}".format})
    assert 'data-key="/row/high" data-form="figure">0.9<' in str(n.interval("row"))
    assert n.interval("open") == n.interval("none") == ""
