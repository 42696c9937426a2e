import numpy as np
import pytest

from monai_medmamba.data import DatasetError
from monai_medmamba.fingerprint.listing import list_dataset
from testing.dicom_files import write_dicom
from testing.dicom_series import write_series


def listed(folder, **options):
    listing = list_dataset(folder, **options)
    return listing, [(item.path, item.label, item.split, item.patient) for item in listing.items]


def codes(listing):
    return [(remark.code, remark.path) for remark in listing.remarks]


def test_class_folders(paint):
    listing, items = listed(paint("b/1.png", "a/deep/2.png", "3.png"))
    assert (listing.layout, listing.labels_from) == ("class folders", "folders")
    assert items == [("3.png", None, None, None), ("a/deep/2.png", "a", None, None), ("b/1.png", "b", None, None)]
    assert codes(listing) == [("nested", "a/deep/2.png"), ("unlabelled", "3.png")]


def test_split_folders(paint):
    listing, items = listed(paint("Train/a/1.png", "valid/a/2.png", "other/a/3.png"))
    assert listing.layout == "split folders"
    assert items == [
        ("Train/a/1.png", "a", "training", None),
        ("other/a/3.png", "other", None, None),
        ("valid/a/2.png", "a", "validation", None),
    ]
    assert codes(listing) == [("outside_splits", "other/a/3.png"), ("nested", "other/a/3.png")]


def test_folders_may_be_no_classes(paint):
    listing, items = listed(paint("train/a/1.png"), use_folders=False)
    assert (listing.layout, items) == ("flat folder", [("train/a/1.png", None, None, None)])


def test_patients_in_names(paint):
    folder = paint("a/PT07_x.png", "a/none.png")
    assert [row[3] for row in listed(folder, patient_pattern=r"(PT\d+)_")[1]] == ["PT07", None]
    assert [row[3] for row in listed(folder, patient_pattern=r"PT\d+_")[1]] == ["PT07_", None]
    with pytest.raises(DatasetError, match="regular expression"):
        list_dataset(folder, patient_pattern="(")


def test_a_table_in_the_folder_is_taken(paint):
    folder = paint("x/1.png", "x/2.png")
    (folder / "list.csv").write_text("path,label\nx/1.png,a\n")
    assert listed(folder)[1] == [("x/1.png", "a", None, None)]
    assert listed(folder / "list.csv")[1] == listed(folder, csv="list.csv")[1] == listed(folder)[1]


def test_a_table_without_the_columns_is_left_aside_unless_they_are_named(paint):
    folder = paint("x/1.png")
    (folder / "list.csv").write_text("file,diagnosis\nx/1.png,a\n")
    assert listed(folder)[0].layout == "class folders"
    assert listed(folder, columns={"path": "file", "label": "diagnosis"})[1] == [("x/1.png", "a", None, None)]


def test_unprintable_names(paint):
    assert codes(list_dataset(paint("a/1\x07.png"))) == [("odd_name", "a/1\x07.png")]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "found none"),
        (["notes.txt"], "found none"),
        (["one.npz", "two.npz"], "Name the one that you mean"),
    ],
)
def test_nothing_to_list(tmp_path, files, message):
    for name in files:
        (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(DatasetError, match=message):
        list_dataset(tmp_path)


@pytest.mark.parametrize("name", ["nowhere", "archive.zip"])
def test_what_is_no_data_set(tmp_path, name):
    (tmp_path / "archive.zip").write_bytes(b"PK")
    with pytest.raises(DatasetError, match="unpack an archive first"):
        list_dataset(tmp_path / name)


def test_columns_want_a_table(paint):
    with pytest.raises(DatasetError, match="--csv"):
        list_dataset(paint("a/1.png"), columns={"path": "file"})


def test_slices_of_a_folder_are_one_volume_where_asked(tmp_path):
    pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")
    root = tmp_path / "set"
    write_series(root / "a" / "case1" / "deep", [0, 3, 6])
    write_series(root / "b" / "case2", [0, 3])
    pixels = np.zeros((4, 4), np.uint8)
    write_dicom(root / "b" / "film.dcm", pixels, NumberOfFrames=2, PixelData=pixels.tobytes() * 2)
    write_dicom(root / "b" / "one.dcm", pixels)
    listing = list_dataset(root, join_slices=True)
    assert [(item.path, item.kind, item.label) for item in listing.items] == [
        *(("a/case1", "series", "a"), ("b/case2", "series", "b"), ("b/film.dcm", "series", "b")),
        ("b/one.dcm", "dicom", "b"),
    ]
    assert not listing.remarks
    assert len(list_dataset(root).items) == 7


def test_splits_and_tables_of_series(tmp_path):
    root = tmp_path / "set"
    for split in ("train", "test"):
        write_series(root / split / "a" / "case", [0, 3])
    listing, items = listed(root, join_slices=True)
    assert items == [("test/a/case", "a", "test", None), ("train/a/case", "a", "training", None)]
    (root / "list.csv").write_text("path,label\ntrain/a/case,x\ntest/a/case,y\n")
    listing, items = listed(root, csv="list.csv", join_slices=True)
    assert [(path, label) for path, label, *_ in items] == [("test/a/case", "y"), ("train/a/case", "x")]
    assert {item.kind for item in listing.items} == {"series"}
    assert not listing.others
