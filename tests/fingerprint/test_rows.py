import pytest

from monai_medmamba.data import DatasetError
from monai_medmamba.fingerprint.rows import list_rows


@pytest.fixture
def listing_of(tmp_path, paint):
    def read(text, columns=None, **settings):
        folder = paint("1.png", "2.png", "3.png")
        (folder / "list.csv").write_text(text, encoding="utf-8")
        return list_rows(folder, folder / "list.csv", columns, **settings)

    return read


def test_columns(listing_of):
    listing = listing_of("patient;PATH;class;split\nann;1.png;a;Train\nbob;2.png;b;testing\n")
    assert [(i.path, i.kind, i.label, i.split, i.patient) for i in listing.items] == [
        ("1.png", "picture", "a", "training", "ann"),
        ("2.png", "picture", "b", "test", "bob"),
    ]
    assert [remark[:2] for remark in listing.remarks] == [("not_in_table", "3.png")]


def test_rows_that_are_wrong_are_named_and_passed_over(listing_of):
    rows = ["../../etc/passwd,a,train", ",a,train", "1.png,,train", "2.png,a,spring", "3.png,a,train", "3.png,b,train"]
    listing = listing_of("\n".join(["path,label,split", *rows, "3.png,a,train", "gone.png,a,test"]))
    assert [item.path for item in listing.items] == ["1.png", "2.png", "3.png", "gone.png"]
    assert [tuple(remark) for remark in listing.remarks] == [
        ("outside_path", "row 2", "../../etc/passwd"),
        ("empty_row", "row 3", ""),
        ("unlabelled", "1.png", "row 4"),
        ("unknown_split", "2.png", "row 5: spring"),
        ("contradicting_row", "3.png", "row 7"),
        ("repeated_row", "3.png", "row 8"),
    ]


def test_named_columns(listing_of):
    listing = listing_of("file,dx\n1.png,a\n", {"path": "file", "label": "dx"})
    assert (listing.items[0].path, listing.items[0].label) == ("1.png", "a")


def test_forms_of_paths_and_names_of_splits(listing_of, paint):
    paint("part_1/7.png", "part_1/8.png", "part_2/8.png")
    text = "path,label,split\n7,a,1\n8,b,0\n9,b,0\n"
    listing = listing_of(text, path_form="**/{}.png", split_names={"1": "training", "0": "test"})
    assert [(item.path, item.split) for item in listing.items] == [("part_1/7.png", "training")]
    assert [remark for remark in listing.remarks if remark.code != "not_in_table"] == [
        ("not_found_once", "row 3", "8: part_1/8.png = part_2/8.png"),
        ("not_found_once", "row 4", "9: no such file"),
    ]


def test_a_table_may_know_no_labels(listing_of):
    listing = listing_of("path\n1.png\n")
    assert (listing.labels_from, listing.items[0].label) == ("nothing", None)
    assert "unlabelled" not in [remark.code for remark in listing.remarks]


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("", None, "an empty file"),
        ("file,dx\n1.png,a\n", None, "--column path=file"),
        ("file,dx\n1.png,a\n", {"path": "name"}, "path=name"),
        ("file,dx\n1.png,a\n", {"image": "file"}, "image=file"),
    ],
)
def test_tables_that_cannot_be_used(listing_of, text, columns, message):
    with pytest.raises(DatasetError, match=message):
        listing_of(text, columns)


def test_a_null_byte_in_a_path_opens_nothing(listing_of):
    assert ("outside_path", "row 2") in [r[:2] for r in listing_of("path,label\n1\0.png,a\n2.png,b\n").remarks]
