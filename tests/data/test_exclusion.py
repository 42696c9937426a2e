import logging

from monai_medmamba.data.entry import Entry
from monai_medmamba.data.exclusion import exclude_contradictions, exclude_named, is_excluded


def paths(entries):
    return [entry.path for entry in entries]


def test_names_and_patterns(caplog):
    caplog.set_level(logging.INFO)
    files = ["a/x [1].png", "a/x1.png", "b/1_mask.png", "b/1_mask_2.png", "b/2.png"]
    entries = [Entry(path, path[0]) for path in files]
    assert paths(exclude_named(entries, ["a/x [1].png", "*_mask*", "c/*"])) == ["a/x1.png", "b/2.png"]
    assert "3 files, a/x [1].png, b/1_mask.png, b/1_mask_2.png." in caplog.text
    assert "Nothing to leave out matches c/*." in caplog.text


def test_nothing_to_leave_out(caplog):
    caplog.set_level(logging.INFO)
    entries = [Entry("a/1.png", "a")]
    assert exclude_named(entries, ()) == entries
    assert exclude_contradictions(entries, ["x"]) == (entries, ["x"])
    assert not caplog.text


def test_the_log_stays_short(caplog):
    caplog.set_level(logging.INFO)
    exclude_named([Entry(f"a/{i}.png", "a") for i in range(9)], ["*"])
    assert "9 files, a/0.png" in caplog.text
    assert "and 4 more" in caplog.text


def test_contradictions(caplog):
    entries = [
        Entry("same-label-1", "a", "training"),
        Entry("same-label-2", "a", "training"),  # a repeat contradicts nothing
        Entry("leak-1", "a", "training"),
        Entry("leak-2", "a", "validation"),
        Entry("leak-3", "a", "test"),
        Entry("labels-1", "a", "training"),
        Entry("labels-2", "b", "training"),
        Entry("both-1", "a", "training"),
        Entry("both-2", "b", "test"),
        Entry("no-split-1", "a"),
        Entry("no-split-2", "b"),
    ]
    digests = [entry.path.rpartition("-")[0] for entry in entries]
    stay, left = exclude_contradictions(entries, digests)
    assert paths(stay) == ["same-label-1", "same-label-2", "leak-3", "both-2"]
    assert left == ["same-label", "same-label", "leak", "both"]
    assert "7 files, both-1, labels-1" in caplog.text


def test_a_name_as_monai_s_configs_give_it():
    assert is_excluded("a/scan#3.png", ("a/scan::3.png",))
    assert not is_excluded("a/scan#3.png", ("a/scan::4.png",))
