"""DICOM series as volumes of a fingerprint."""

import numpy as np
import pytest

from monai_medmamba.fingerprint.decoded import UnreadableError
from monai_medmamba.fingerprint.read_series import read_series
from testing.dicom_series import write_series

pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")
pytest.importorskip("nibabel", reason="volumes are turned by nibabel")


def test_values_keep_their_unit_and_place(tmp_path):
    found = read_series(write_series(tmp_path / "s", [0, 3, 6], PatientID="ANN", value=lambda p: p[..., 2]))
    assert found.volume
    assert found.values.shape == (3, 10, 12)
    assert np.allclose(np.diff(found.values, axis=0), 3, atol=0.5)  # grows towards the head
    assert found.full_scale is None
    assert found.tags["spacing"] == pytest.approx([1.5, 2, 3])
    assert (found.tags["modality"], found.tags["patient"], found.tags["orientation"]) == ("CT", "ANN", "RAS")


def test_moved_slices_are_flagged(tmp_path):
    found = read_series(write_series(tmp_path / "s", [0, 3, 6, 9], tilt=10))
    assert found.flags[0].startswith("moved_slices: ")


def test_what_is_no_volume_is_refused_with_the_cure(tmp_path):
    series = write_series(tmp_path / "s", [0, 3, 9, 12])
    with pytest.raises(UnreadableError, match=r"slices are missing.*interpolate") as caught:
        read_series(series)
    assert str(tmp_path) not in str(caught.value).split(":")[0]
