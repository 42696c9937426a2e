"""Whom volumes show, by number."""

import json

import pytest

from monai_medmamba.data import build_volume_datalist
from monai_medmamba.data.volume_patients import number_patients
from testing.dicom_series import write_series

pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")


def series(folder, patient, uid="1.2.3", start=0):
    return write_series(folder, range(start, start + 9, 3), uid=uid, PatientID=patient)


def test_patients_get_numbers_in_the_order_they_are_met(tmp_path):
    found = [series(tmp_path / name, who) for name, who in (("a", "ANN"), ("b", "BOB"), ("c", "ANN"), ("d", ""))]
    (tmp_path / "e.nii").write_bytes(b"none")
    assert number_patients([*found, tmp_path / "e.nii", tmp_path / "gone"]) == [
        *("dicom 1", "dicom 2", "dicom 1", None, None, None)
    ]


def test_one_number_for_all_says_nothing(tmp_path, caplog):
    assert number_patients([series(tmp_path / name, "ANONYMOUS") for name in "ab"]) == [None, None]
    assert "same PatientID" in caplog.text


@pytest.mark.parametrize("kept", [True, False])
def test_a_patient_is_never_parted_and_never_named(kept, tmp_path):
    for label in ("low", "high"):
        for i in range(8):
            series(tmp_path / "set" / label / f"case{i}", f"{label}-{i // 2}", uid=f"1.2.{len(label)}.{i}", start=i)
    data = build_volume_datalist(tmp_path / "set", dicom_patients=kept)
    places = {}
    for split in ("training", "validation", "test"):
        for item in getattr(data, split):
            places.setdefault(item.get("patient"), set()).add(split)
    assert (len(places) == 8 and all(len(splits) == 1 for splits in places.values())) is kept
    data.save(tmp_path / "datalist.json")
    content = json.loads((tmp_path / "datalist.json").read_text())
    assert "low-1" not in json.dumps(content)
