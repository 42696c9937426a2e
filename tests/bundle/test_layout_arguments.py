"""What a bundle's layout may say."""

import pytest

from monai_medmamba.bundle.layout_arguments import check_known, layout_arguments
from monai_medmamba.data import DatasetError, build_datalist, build_volume_datalist


@pytest.mark.parametrize("build", [build_datalist, build_volume_datalist])
def test_it_becomes_arguments(build):
    layout = {"fractions": [0.5, 0.2, 0.3], "csv": "t.csv", "phantoms": {"classes": ["a"]}}
    assert layout_arguments(layout, build) == {"fractions": (0.5, 0.2, 0.3), "csv": "t.csv"}
    assert layout_arguments(None, build) == {}


def test_what_the_function_does_not_take_is_refused():
    assert layout_arguments({"dicom_patients": False}, build_volume_datalist) == {"dicom_patients": False}
    with pytest.raises(DatasetError, match=r"found dicom_patients"):
        layout_arguments({"dicom_patients": False}, build_datalist)


def test_what_is_needed_must_be_there():
    with pytest.raises(DatasetError, match="no classes"):
        check_known("phantoms", {}, {"classes"}, build_datalist, set())
