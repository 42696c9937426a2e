import pytest

from monai_medmamba.data import DatasetError
from monai_medmamba.data.entry import Entry
from monai_medmamba.data.table import find_table, list_table, lists_images


@pytest.fixture
def table(tmp_path):
    def write(text, name="list.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_in_any_order(tmp_path, table, separator):
    rows = [
        ["Split", "class", "age", "IMAGE", "patient_id"],
        ["val", "b", "60", "x/2.png", "p2"],
        ["train", "a", "", "1.png", "p1"],
    ]
    listed = list_table(tmp_path, table("\n".join(separator.join(row) for row in rows)))
    assert listed == [Entry("1.png", "a", "training", "p1"), Entry("x/2.png", "b", "validation", "p2")]


def test_byte_order_mark_quotes_and_blank_lines(tmp_path, table):
    listed = list_table(tmp_path, table('\ufeffpath,label\r\n"a, b.png",x\r\n\r\nc.png,"y"\r\n'))
    assert listed == [Entry("a, b.png", "x"), Entry("c.png", "y")]


def test_paths_are_made_relative(tmp_path, table):
    listed = list_table(tmp_path, table(f"path,label\n{tmp_path}/a/1.png,x\n.\\a\\..\\b\\2.png,x\n"))
    assert [entry.path for entry in listed] == ["a/1.png", "b/2.png"]


def test_paths_that_escape(tmp_path, table):
    with pytest.raises(DatasetError, match=r"2 rows without:\n  row 2: \.\./secret\.png\n  row 4: /etc/x\.png"):
        list_table(tmp_path, table("path,label\n../secret.png,a\nfine.png,a\n/etc/x.png,b\n"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("file,label\n1.png,a\n", "path or image"),
        ("path,diagnosis\n1.png,a\n", "label or class"),
        ("", "an empty file"),
        ("path,label\n", "column names alone"),
        ("path,label\n1.png,a\n2.png,\n3.png\n", "row 3: no label\n  row 4: no label"),
        ("path,label,split\n1.png,a,train\n2.png,a,holdout\n", "row 3: holdout"),
        ("path,label,split\n1.png,a,train\n2.png,a,\n", "row 3: no split"),
        ("path,label,patient\n1.png,a,p\n2.png,a,\n", "row 3: no patient"),
    ],
)
def test_refused(tmp_path, table, text, found):
    with pytest.raises(DatasetError, match=found) as refused:
        list_table(tmp_path, table(text))
    assert "list.csv" in str(refused.value)


def test_named_columns_with_blanks_in_other_case(tmp_path, table):
    text = "Image_name;Patient_num;Plane;Train \n7;12;Fetal brain;1\n8;13;Other;0 \n"
    columns = {"path": "Image_name", "label": "Plane", "patient": "patient_num", "split": "Train"}
    splits = {"1": "training", "0": "test"}
    listed = list_table(tmp_path, table(text), columns=columns, path_form="Images/{}.png", split_names=splits)
    assert listed == [
        Entry("Images/7.png", "Fetal brain", "training", "12"),
        Entry("Images/8.png", "Other", "test", "13"),
    ]


def test_a_named_column_wins_over_a_usual_one(tmp_path, table):
    listed = list_table(tmp_path, table("path,label,dx\n1.png,a,b\n"), columns={"label": "dx"})
    assert listed == [Entry("1.png", "b")]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"columns": {"label": "dx"}}, r"label=dx:\n  path\n  label\n  split\nName one of path, label"),
        ({"columns": {"age": "label"}}, "age=label"),
        ({"split_names": {"1": "train"}}, r"(?s)1 others:\n  1: train.*Correct split_names"),
        ({"split_names": {"2": "training"}}, r"known split \(2\) in .*list\.csv, found 2 rows without:\n  row 2: 1"),
        ({"path_form": "{}/{}"}, "a path form with {} once"),
    ],
)
def test_refuses_settings_that_do_not_fit(tmp_path, table, arguments, found):
    with pytest.raises(DatasetError, match=found):
        list_table(tmp_path, table("path,label,split\na,x,1\nb,y,0\n"), **arguments)


def test_files_in_several_folders(tmp_path, table, paint):
    paint("part_1/a.png", "part_2/b.png", "part_1/c.png", "part_2/c.png")
    listed = list_table(tmp_path, table("path,label\na.png,x\nb.png,y\n"), path_form="**/{}")
    assert [entry.path for entry in listed] == ["part_1/a.png", "part_2/b.png"]
    with pytest.raises(DatasetError) as refused:
        list_table(tmp_path, table("path,label\nc.png,x\na.png,x\nd.png,y\n"), path_form="**/{}")
    assert "row 2: c.png: part_1/c.png = part_2/c.png\n  row 4: d.png: no such file" in str(refused.value)
    assert "list.csv" in str(refused.value)


def test_unreadable(tmp_path):
    with pytest.raises(DatasetError, match=r"gone\.csv"):
        list_table(tmp_path, tmp_path / "gone.csv")
    (tmp_path / "latin.csv").write_bytes("path,label\nbefund-übersicht.png,a\n".encode("latin-1"))
    with pytest.raises(DatasetError, match="UTF-8"):
        list_table(tmp_path, tmp_path / "latin.csv")


def test_find_table(tmp_path, table):
    assert find_table(tmp_path) is None
    one = table("path,label\n1.png,a\n", "a.tsv")
    assert find_table(tmp_path) == one
    assert lists_images(one)
    other = table("file,score\n1.png,3\n", "b.CSV")
    assert find_table(tmp_path) is None
    assert not lists_images(other)
