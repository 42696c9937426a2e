import logging
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("dicomweb_client", reason="talks to DICOMweb servers")

import pydicom

from monai_medmamba.dicom import DicomwebError, Selection, fetch_series
from monai_medmamba.transforms import decode_dicom
from testing.dicom_patients import SECRETS, write_patient
from testing.dicomweb_server import dicomweb_server

STUDY = "1.2.826.0.1"


@pytest.fixture
def server(tmp_path):
    """A server of five images of one patient in two series and two studies, and a report."""
    with dicomweb_server() as running:
        running.add_radiographs(tmp_path / "archive")
        running.add(write_patient(tmp_path / "archive" / "c.dcm", study="1.2.826.0.2", BodyPartExamined=None))
        running.add(write_patient(tmp_path / "archive" / "d.dcm", series="9", Modality="SR"))
        yield running


def fetched(result):
    return sorted(address.rpartition("/instances/")[2] for address in result.files.values())


def test_all_series_that_may_hold_pictures(server, tmp_path):
    result = fetch_series(server.address, tmp_path / "out")
    assert fetched(result) == [f"{STUDY}.1.1", f"{STUDY}.1.2", f"{STUDY}.1.3", f"{STUDY}.2.1", "1.2.826.0.2.1.1"]
    assert result.missed == []
    assert result.left_out == 1  # the report
    for file, address in result.files.items():
        dataset = pydicom.dcmread(file)
        place = f"{dataset.StudyInstanceUID}/{dataset.SeriesInstanceUID}/{dataset.SOPInstanceUID}.dcm"
        assert file == str(tmp_path / "out" / place)
        assert address.startswith(f"{server.address}/studies/{dataset.StudyInstanceUID}/series/")
        original = next(one for one in server.datasets if one.SOPInstanceUID == dataset.SOPInstanceUID)
        assert np.array_equal(dataset.pixel_array, original.pixel_array)
        assert decode_dicom(file).shape == (3, 20, 24)


@pytest.mark.parametrize("filters", [True, False], ids=["filtering", "ignoring filters"])
@pytest.mark.parametrize(
    ("selection", "series", "left_out"),
    [
        (Selection(("dx",)), ["2"], None),
        (Selection(("CR", "DX")), ["1", "1", "1", "1", "2"], None),
        (Selection(("SR",)), ["9"], None),
        (Selection((), ("knee",)), ["2"], 3),
        (Selection(("CR",), ("CHEST",)), ["1", "1", "1"], None),
        (Selection(("MR",)), [], None),
    ],
)
def test_selection(server, tmp_path, selection, series, left_out, filters):
    server.filters = filters
    result = fetch_series(server.address, tmp_path / "out", selection)
    assert sorted(name.split(".")[-2] for name in fetched(result)) == series
    assert result.missed == []
    if left_out is not None:
        assert result.left_out == left_out


def test_a_body_part_that_the_search_does_not_tell(server, tmp_path):
    server.tells_body_part = False
    assert fetched(fetch_series(server.address, tmp_path / "out", Selection((), ("KNEE",)))) == [f"{STUDY}.2.1"]
    assert sum(path.endswith("/metadata") for path in server.asked) == 3


def test_studies(server, tmp_path):
    assert fetched(fetch_series(server.address, tmp_path, studies=["1.2.826.0.2"])) == ["1.2.826.0.2.1.1"]


def test_a_server_without_pages(server, tmp_path):
    server.knows_pages = False
    assert len(fetch_series(server.address, tmp_path).files) == 5


def test_what_is_there_is_not_fetched_again(server, tmp_path):
    first = fetch_series(server.address, tmp_path / "out")
    server.asked.clear()
    assert fetch_series(server.address, tmp_path / "out") == first
    assert not [path for path in server.asked if "/instances/" in path]


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (404, "the server answers 404 Not Found"),
        (500, "the server answers 500 Internal Server Error"),
        (503, "the server answers 503 Service Unavailable"),
        ("truncated", "damaged"),
        ("empty", "damaged"),
        ("twice", "damaged"),
        ("other", "another instance"),
        ("hang", "no whole answer within 1 s"),
        ("drip", "no whole answer within 1 s"),
    ],
)
def test_one_bad_instance_never_stops_the_rest(server, tmp_path, trouble, reason):
    server.trouble[f"/instances/{STUDY}.1.2"] = trouble
    begun = time.monotonic()
    result = fetch_series(server.address, tmp_path / "out", timeout=1)
    assert time.monotonic() - begun < 5
    assert fetched(result) == [f"{STUDY}.1.1", f"{STUDY}.1.3", f"{STUDY}.2.1", "1.2.826.0.2.1.1"]
    [missed] = result.missed
    assert missed.name == f"{server.address}/studies/{STUDY}/series/{STUDY}.1/instances/{STUDY}.1.2"
    assert reason in missed.reason
    assert "Doe" not in missed.reason
    assert len(list((tmp_path / "out").rglob("*"))) == 4 + 3 + 2  # no stray file


@pytest.mark.parametrize(
    ("path", "trouble", "lost", "reason"),
    [
        (f"/studies/{STUDY}/series", 500, 4, "500"),
        (f"/series/{STUDY}.1/instances", "html", 3, "damaged"),
        (f"/series/{STUDY}.1/instances", "path", 3, "no valid UID"),
        (f"/studies/{STUDY}/series", "path", 4, "no valid UID"),
    ],
)
def test_one_bad_series_never_stops_the_rest(server, tmp_path, path, trouble, lost, reason):
    server.trouble[path] = trouble
    result = fetch_series(server.address, tmp_path / "out", timeout=5)
    assert len(result.files) == 5 - lost
    assert reason in result.missed[0].reason
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        (500, "500 Internal Server Error"),
        ("html", "damaged"),
        ("hang", "no whole answer"),
        (401, "user, a password or a token"),
    ],
)
def test_a_server_that_cannot_be_searched(server, tmp_path, trouble, message):
    server.trouble["/studies"] = trouble
    with pytest.raises(DicomwebError, match=message) as caught:
        fetch_series(server.address, tmp_path, timeout=1)
    assert "Doe" not in str(caught.value)


def test_no_server(tmp_path):
    with pytest.raises(DicomwebError, match=r"http://127.0.0.1:1/x: the connection failed"):
        fetch_series("http://127.0.0.1:1/x", tmp_path, timeout=2)


def test_who_asks(server, tmp_path):
    server.needs = "Bearer key"
    assert len(fetch_series(server.address, tmp_path / "token", token="key").files) == 5
    server.needs = "Basic bWU6cCBw"  # me:p p
    result = fetch_series(server.address.replace("//", "//me:p%20p@"), tmp_path / "basic")
    assert len(result.files) == 5
    assert not any("me:" in address for address in result.files.values())
    with pytest.raises(DicomwebError, match="401") as caught:
        fetch_series(server.address.replace("//", "//me:wrong@"), tmp_path / "none")
    assert "wrong" not in str(caught.value)


def test_a_limit(server, tmp_path):
    with pytest.raises(DicomwebError, match="5 instances are meant, expected at most 4"):
        fetch_series(server.address, tmp_path, limit=4)
    assert not list(tmp_path.rglob(f"{STUDY}.1.1.dcm"))


def test_a_hostile_preamble_is_not_written(server, tmp_path):
    server.datasets[0].preamble = b"MZ" + b"\x90" * 126
    result = fetch_series(server.address, tmp_path, studies=[STUDY])
    assert all(Path(file).read_bytes()[:128] == b"\0" * 128 for file in result.files)


def test_nothing_of_the_patient_is_logged(server, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    server.trouble[f"/instances/{STUDY}.1.2"] = "truncated"
    fetch_series(server.address, tmp_path)
    said = caplog.text + "".join(capfd.readouterr())
    assert not [secret for secret in SECRETS if secret in said]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"studies": ["../evil"]}, "digits and dots, got '../evil'"),
        ({"limit": 0}, "positive"),
        ({"timeout": -1}, "positive"),
    ],
)
def test_invalid_arguments(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        fetch_series("http://127.0.0.1:1", tmp_path, **options)


def test_no_address(tmp_path):
    with pytest.raises(DicomwebError, match="expected an address such as"):
        fetch_series("http:///", tmp_path)
