import json

import pytest

from monai_medmamba.metrics.run_data import RunData


@pytest.fixture
def run(tmp_path):
    """A run whose data lie in another folder, with a table and two files repeated."""
    root = tmp_path / "data"
    root.mkdir()
    for name, content in (("1", b"one"), ("2", b"two"), ("3", b"two"), ("4", b"four"), ("5", b"one"), ("6", b"six")):
        (root / f"{name}.png").write_bytes(content)
    listed = {
        "class_names": ["a", "b"],
        "root": str(root),
        "training": [
            {"image": "2.png", "label": 0, "patient": "ann"},
            {"image": "3.png", "label": 0, "patient": "ann"},
        ],
        "validation": [{"image": "1.png", "label": 1, "patient": "bob"}],
        "test": [
            {"image": "4.png", "label": 1, "patient": "ann"},
            {"image": "5.png", "label": 0, "patient": "eve"},
            {"image": "6.png", "label": 0},
        ],
    }
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "datalist.json").write_text(json.dumps(listed))
    (root / "table.csv").write_text("path,label,Site,id\n4.png,b,north,7\n5.png,a,south,8\n6.png,a,,9\n")
    return folder, [str(root / f"{i}.png") for i in (4, 5, 6)]


def test_patients_in_the_order_of_the_images(run):
    folder, images = run
    assert RunData(folder).patients(images[::-1]) == [None, "eve", "ann"]
    assert RunData(folder).patients(["elsewhere.png"]) is None


def test_facts(run):
    facts = RunData(run[0]).facts()
    assert facts["splits"]["training"] == {"images": 2, "patients": 1}
    assert facts["splits"]["test"] == {"images": 3, "patients": 2}
    assert (facts["level"], facts["patients_in_two_splits"]) == ("patient", 1)
    assert facts["repeated_files"] == {"within_a_split": 1, "across_splits": 1}
    assert "ann" not in json.dumps(facts)


def test_images_that_are_gone_cannot_be_counted(run):
    folder = run[0]
    (folder.parent / "data" / "2.png").unlink()
    assert RunData(folder).facts()["repeated_files"] is None


def test_the_list_of_the_evaluation_comes_first(run):
    folder = run[0]
    (folder / "evaluation").mkdir()
    empty = {"class_names": [], "root": "/", "training": [], "validation": [], "test": []}
    (folder / "evaluation" / "datalist.json").write_text(json.dumps(empty))
    assert RunData(folder).facts()["splits"]["test"]["images"] == 0


def test_columns_with_few_values_are_taken(run):
    folder, images = run
    assert RunData(folder).columns(images) == {"Site": ["north", "south", ""]}
    assert RunData(folder).columns(images[:1]) == {}
    assert RunData(folder).columns(images, names=["Site"]) == {"Site": ["north", "south", ""]}


@pytest.mark.parametrize("column", ["id", "PatientName", "birth date", "study_uid", "scan_id"])
def test_columns_that_may_tell_who_it_is_are_taken_only_when_asked_for(run, column):
    folder, images = run
    table = folder.parent / "data" / "table.csv"
    table.write_text(f"path,{column}\n4.png,Doe\n5.png,Roe\n6.png,Doe\n")
    assert RunData(folder).columns(images) == {}
    assert RunData(folder).columns(images, names=[column]) == {column: ["Doe", "Roe", "Doe"]}


def test_a_value_for_almost_every_image_is_no_group(run):
    folder, images = run
    (folder.parent / "data" / "table.csv").write_text("path,nickname,grade\n4.png,A,1\n5.png,B,2\n6.png,C,3\n")
    assert RunData(folder).columns(images) == {}


def test_a_table_of_another_place(run, tmp_path):
    folder, images = run
    (tmp_path / "other.csv").write_text("image;scanner\n5.png;x\n")
    assert RunData(folder).columns(images, tmp_path / "other.csv", ["scanner"]) == {"scanner": [None, "x", None]}


@pytest.mark.parametrize(
    ("text", "names", "message"),
    [
        ("path,site\n", ["sex"], "no column sex; it has path, site"),
        ("file,site\n", ["site"], "expected a column path"),
        (None, ["site"], "readable table"),
    ],
)
def test_a_table_that_does_not_serve(run, tmp_path, text, names, message):
    if text is not None:
        (tmp_path / "other.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        RunData(run[0]).columns(run[1], tmp_path / "other.csv", names)


def test_without_a_list_nothing_is_known(tmp_path):
    data = RunData(tmp_path)
    assert data.facts() is data.patients(["a.png"]) is None
    assert data.columns(["a.png"]) == {}
    with pytest.raises(ValueError, match="no table is known"):
        data.columns(["a.png"], names=["site"])


def test_a_damaged_list(tmp_path):
    (tmp_path / "datalist.json").write_text("{}")
    with pytest.raises(ValueError, match=r"datalist.json is no data list"):
        RunData(tmp_path)
