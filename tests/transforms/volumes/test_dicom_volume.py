import logging
import sys

import numpy as np
import pytest

from monai_medmamba.transforms import ImageReadError
from monai_medmamba.transforms.volumes import read_dicom_volume
from testing.dicom_files import lookup_table, write_dicom
from testing.dicom_series import SIZE, SLOPE, directions, slope_of_space, voxel_points, write_series

pydicom = pytest.importorskip("pydicom", minversion="3.0", reason="DICOM files need pydicom 3")
pytest.importorskip("nibabel", reason="volumes are turned by nibabel")

EVEN = [0, 3, 6, 9, 12]


def assert_true_to_space(volume, inside=None, tolerance=SLOPE):
    """Fail unless each voxel has the value of the place where the affine puts it."""
    expected = slope_of_space(voxel_points(volume.values.shape, volume.affine))
    inside = volume.values > -1000 if inside is None else inside
    assert inside.mean() > 0.5
    assert np.abs(volume.values - expected)[inside].max() <= tolerance


def test_a_plain_series(tmp_path):
    volume = read_dicom_volume(write_series(tmp_path, EVEN))
    assert volume.values.shape == (*SIZE, 5)
    assert volume.values.dtype == np.float32
    assert volume.spacing == pytest.approx((1.5, 2.0, 3.0))
    assert (np.linalg.inv(volume.affine[:3, :3]) > -1e-9).all()  # axes grow towards right, front, head
    assert volume.changes == ()
    assert_true_to_space(volume)


@pytest.mark.parametrize("case", ["numbers against the place", "compressed", "big endian", "no suffix, in folders"])
def test_the_same_volume_from_other_files(tmp_path, case):
    plain = read_dicom_volume(write_series(tmp_path / "plain", EVEN))
    folder = write_series(tmp_path / "other", EVEN, reverse=case.startswith("numbers"))
    for number, file in enumerate(sorted(folder.iterdir())):
        dataset = pydicom.dcmread(file)
        if case == "compressed":
            dataset.compress(pydicom.uid.RLELossless)
            dataset.save_as(file)
        elif case == "big endian":
            dataset.PixelData = dataset.pixel_array.astype(">i2").tobytes()
            dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
            pydicom.dcmwrite(file, dataset, implicit_vr=False, little_endian=False)
        elif case.startswith("no suffix"):
            (folder / str(number)).mkdir()
            file.rename(folder / str(number) / "IM0")
    (folder / "notes.txt").write_text("no slice")
    (folder / ".hidden").write_text("no slice")
    other = read_dicom_volume(folder)
    assert np.array_equal(other.values, plain.values)
    assert np.array_equal(other.affine, plain.affine)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal", "feet first", "oblique"])
def test_every_plane_comes_out_true_to_space(tmp_path, plane):
    axes = {
        "axial": np.eye(3),
        "coronal": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
        "sagittal": np.array([[0.0, 1, 0], [0, 0, -1], [-1, 0, 0]]),
        "feet first": np.array([[-1.0, 0, 0], [0, 1, 0], [0, 0, -1]]),
        "oblique": directions(25),
    }[plane]
    volume = read_dicom_volume(write_series(tmp_path, EVEN, axes=axes))
    assert_true_to_space(volume)
    lengths = volume.affine[:3, :3] / np.linalg.norm(volume.affine[:3, :3], axis=0)
    assert (lengths.diagonal() > 0.9).all()


@pytest.mark.parametrize("tilt", [18.5, -12.0])
def test_a_tilted_gantry_is_straightened(tmp_path, tilt):
    volume = read_dicom_volume(write_series(tmp_path, EVEN, tilt=tilt))
    assert f"gantry tilt of {abs(tilt):.1f} degrees" in volume.changes[0]
    axes = volume.affine[:3, :3]
    assert (axes.T @ axes - np.diag(np.square(volume.spacing))) == pytest.approx(0, abs=1e-6)  # at right angles
    assert volume.values.shape[1] > SIZE[1]
    covered = volume.values != -1024
    assert covered.sum() >= SIZE[0] * (SIZE[1] - 1) * 5
    assert_true_to_space(volume, covered)


def test_uneven_steps_are_interpolated(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    heights, thickness = [0, 4, 8, 12, 13, 20, 27], [4, 4, 4, 4, 7, 7, 7]
    volume = read_dicom_volume(write_series(tmp_path, heights, tilt=10, thickness=thickness))
    assert [change.split()[0] for change in volume.changes] == ["slices", "steps"]
    assert all(change in caplog.text for change in volume.changes)
    assert volume.spacing[2] == pytest.approx(27 * np.cos(np.deg2rad(10)) / 7)
    assert_true_to_space(volume, volume.values != -1024, tolerance=2 * SLOPE)


def test_a_missing_slice_is_named_or_interpolated(tmp_path):
    folder = write_series(tmp_path, [0, 3, 6, 12, 15])
    with pytest.raises(
        ImageReadError, match=r"6\.00 mm between 1\.2\.3-003\.dcm and .*from 17\.00 to 23\.00 mm.*3\.00"
    ):
        read_dicom_volume(folder)
    volume = read_dicom_volume(folder, missing="interpolate")
    assert volume.values.shape[2] == 6
    assert "interpolated" in volume.changes[0]
    assert_true_to_space(volume)
    with pytest.raises(ValueError, match="'refuse' or 'interpolate', got 'ignore'"):
        read_dicom_volume(folder, missing="ignore")


def test_several_series(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    write_series(tmp_path, EVEN, uid="1.2.3")
    write_series(tmp_path, [*EVEN, 15], uid="1.2.4")
    write_series(tmp_path, [0, 50], uid="1.2.5", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    with pytest.raises(
        ImageReadError, match=r"2 series that may be meant: 1\.2\.4 \(CT, 6 images\); 1\.2\.3 .*largest"
    ):
        read_dicom_volume(tmp_path)
    assert read_dicom_volume(tmp_path, series="largest").values.shape[2] == 6
    assert "series 1.2.4 taken (CT, 6 images), of 3 series" in caplog.text
    assert read_dicom_volume(tmp_path, series="1.2.3").values.shape[2] == 5
    with pytest.raises(ImageReadError, match=r"no series 9, but 1\.2\.4"):
        read_dicom_volume(tmp_path, series="9")


def enhanced(tmp_path, positions, shared=True, **tags):
    """Write a multi-frame file whose places are in functional groups."""
    from pydicom import Dataset, Sequence

    def item(**values):
        dataset = Dataset()
        for name, value in values.items():
            setattr(dataset, name, value)
        return dataset

    frames = [
        item(
            PlanePositionSequence=Sequence([item(ImagePositionPatient=[0, 0, z])]),
            PixelValueTransformationSequence=Sequence([item(RescaleSlope=1, RescaleIntercept=z)]),
        )
        for z in positions
    ]
    common = item(
        PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]),
        PixelMeasuresSequence=Sequence([item(PixelSpacing=[2, 1], SliceThickness=3)]),
    )
    pixels = np.arange(len(positions) * 24, dtype=np.int16).reshape(-1, 4, 6)
    groups = {"PerFrameFunctionalGroupsSequence": Sequence(frames)}
    if shared:
        groups["SharedFunctionalGroupsSequence"] = Sequence([common])
    more = {"NumberOfFrames": len(positions), "PixelData": pixels.tobytes(), "Modality": "CT", **groups, **tags}
    return write_dicom(tmp_path / "enhanced.dcm", pixels[0], **more), pixels


def test_the_frames_of_an_enhanced_file(tmp_path):
    path, pixels = enhanced(tmp_path, [6, 3, 0])  # from head to feet
    volume = read_dicom_volume(path)
    assert volume.spacing == (1, 2, 3)
    expected = pixels[::-1] + np.array([0, 3, 6])[:, None, None]  # each frame with its own rescale
    assert np.array_equal(volume.values, expected.transpose(2, 1, 0)[::-1, ::-1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Modality": "MR"}, None),
        ({"PhotometricInterpretation": "MONOCHROME1"}, None),
        ({"heights": [0]}, "one slice, expected two or more. Read it as a picture"),
        ({"heights": [0, 3, 3]}, r"slices lie at one place, 1 times, 1\.2\.3-002\.dcm = "),
        ({"heights": [0, 3, 6, 90], "missing": "interpolate"}, "3.00 to 84.00 mm apart, which those of one stack"),
        ({"ImagePositionPatient": None}, "no part of a volume, as far as it says: it lacks ImagePositionPatient"),
        ({"PixelSpacing": [0, 1]}, "a senseless place in space"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "a senseless place in space"),
        ({"RescaleSlope": None}, "a CT without the rescale"),
        ({"RescaleSlope": "1e400"}, "voxels are NaN or infinite"),
        ({"Rows": 11}, "damaged"),
        ({"PhotometricInterpretation": "HSV"}, "its colours are HSV, expected grey slices"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_refuses(tmp_path, changes, message):
    changes = dict(changes)
    heights, missing = changes.pop("heights", EVEN), changes.pop("missing", "refuse")
    folder = write_series(tmp_path, heights)
    for file in folder.iterdir():
        dataset = pydicom.dcmread(file)
        for name, value in changes.items():
            if value is None:
                delattr(dataset, name)
            else:
                setattr(dataset, name, value)
        dataset.save_as(file)
    if message is None:
        assert_true_to_space(read_dicom_volume(folder))
        return
    with pytest.raises(ImageReadError, match=message) as raised:
        read_dicom_volume(folder, missing=missing)
    assert str(raised.value).startswith(f"Cannot read the image {folder}")


@pytest.mark.parametrize("what", ["size", "direction", "pixel spacing"])
def test_slices_of_two_kinds(tmp_path, what):
    folder = write_series(tmp_path, EVEN)
    file = folder / "1.2.3-004.dcm"
    dataset = pydicom.dcmread(file)
    if what == "size":
        dataset.Rows = 5
    elif what == "direction":
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    else:
        dataset.PixelSpacing = [3, 3]
    dataset.save_as(file)
    with pytest.raises(
        ImageReadError, match=rf"slices differ in {what}: .* in 1\.2\.3-001\.dcm, .* in 1\.2\.3-004\.dcm"
    ):
        read_dicom_volume(folder)


def test_monochrome1_of_a_picture_is_inverted(tmp_path):
    plain = read_dicom_volume(write_series(tmp_path / "a", EVEN, Modality="MR"))
    other = read_dicom_volume(
        write_series(tmp_path / "b", EVEN, Modality="MR", PhotometricInterpretation="MONOCHROME1")
    )
    ends = np.array([-(2**15), 2**15 - 1]) * SLOPE - 1024
    assert other.values == pytest.approx(ends.sum() - plain.values, abs=1e-2)


def test_a_modality_table(tmp_path):
    table = lookup_table([10, 20, 40], first=0)
    folder = write_series(
        tmp_path, EVEN, ModalityLUTSequence=table, value=lambda points: np.full(points.shape[:-1], -1023.5)
    )
    assert set(np.unique(read_dicom_volume(folder).values)) == {40}


def test_a_film_is_no_volume(tmp_path):
    path, _ = enhanced(tmp_path, [0, 3], shared=False)
    with pytest.raises(ImageReadError, match="its 2 frames are a film or no part of a volume"):
        read_dicom_volume(path)


def test_a_broken_slice_is_named(tmp_path):
    folder = write_series(tmp_path, EVEN)
    file = folder / "1.2.3-003.dcm"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(ImageReadError, match=r"1\.2\.3-003\.dcm: it is damaged.*less than expected"):
        read_dicom_volume(folder)


@pytest.mark.parametrize("case", ["missing", "empty", "text"])
def test_no_dicom(tmp_path, case):
    folder = tmp_path / "set"
    if case != "missing":
        folder.mkdir()
    if case == "text":
        (folder / "a.txt").write_text("hello")
    with pytest.raises(ImageReadError, match=r"no such file or folder|no DICOM image in it"):
        read_dicom_volume(folder)


@pytest.mark.parametrize("module", ["pydicom.pixels", "nibabel"])
def test_without_a_package(tmp_path, monkeypatch, module):
    folder = write_series(tmp_path, EVEN)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImageReadError, match=r"not installed\. Install it: pip install"):
        read_dicom_volume(folder)


def test_messages_and_log_hold_no_patient(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    secret = {"PatientName": "DOE^JANE", "PatientID": "SECRET7", "PatientBirthDate": "19700101"}
    write_series(tmp_path, EVEN, uid="1.2.3", tilt=10, **secret)
    write_series(tmp_path, [0, 3, 9, 12], uid="1.2.4", **secret)
    texts = []
    for series in (None, "1.2.4"):
        with pytest.raises(ImageReadError) as raised:
            read_dicom_volume(tmp_path, series=series)
        texts.append(str(raised.value))
    read_dicom_volume(tmp_path, series="1.2.3")
    assert not any(value in text for value in secret.values() for text in (*texts, caplog.text))


@pytest.mark.real_data
def test_a_real_tilted_and_uneven_series(medmamba_data):
    volume = read_dicom_volume(medmamba_data / "dicom" / "ct_series_ge_head_tilt")
    assert volume.values.shape == (512, 611, 37)
    assert volume.spacing == pytest.approx((0.488, 0.488, 4.0), abs=0.01)
    assert "gantry tilt of 18.5 degrees" in volume.changes[0]
    assert "steps of 1.08 to 7.00 mm" in volume.changes[1]
    first = pydicom.dcmread(medmamba_data / "dicom" / "ct_series_ge_head_tilt" / "01.dcm")
    # The first and the last slice lie on the grid: their voxels are the file's, to what half a pixel's move changes.
    place = np.linalg.inv(volume.affine) @ [
        *(-np.array(first.ImagePositionPatient[:2], float)),
        float(first.ImagePositionPatient[2]),
        1,
    ]
    x, y, z = np.rint(place[:3]).astype(int)
    assert abs(place[2] - z) < 0.01
    assert volume.values[x - 511 : x + 1, y - 511 : y + 1, z][::-1, ::-1].mean() == pytest.approx(
        first.pixel_array.mean(), abs=2
    )
