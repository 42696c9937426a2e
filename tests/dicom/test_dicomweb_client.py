import time

import pytest

requests = pytest.importorskip("requests", reason="talks to servers")
pytest.importorskip("dicomweb_client", reason="talks to DICOMweb servers")

from monai_medmamba.dicom import DicomwebError  # noqa: E402
from monai_medmamba.dicom import dicomweb_client as module  # noqa: E402
from monai_medmamba.dicom.dicomweb_client import connect, is_address, reason_of, without_password  # noqa: E402
from testing.dicom_patients import write_patient  # noqa: E402
from testing.dicomweb_server import dicomweb_server  # noqa: E402


@pytest.mark.parametrize(
    ("name", "expected"),
    [("https://pacs.example/dicom-web", True), ("HTTP://x", True), ("httpd/a.dcm", False), ("ftp://x", False)],
)
def test_addresses(name, expected):
    assert is_address(name) is expected


def test_what_is_shown_of_an_address():
    shown = without_password("https://me:p%40ss@pacs.example:8042/dicom-web/?token=secret#x")
    assert shown == "https://pacs.example:8042/dicom-web"


def test_a_server_that_never_ends(monkeypatch, tmp_path):
    with dicomweb_server() as server:
        server.add(write_patient(tmp_path / "a.dcm"))
        server.trouble["/studies"] = "drip"
        client = connect(server.address, 0.5)
        begun = time.monotonic()
        with pytest.raises(module._TooSlowError):
            client.search_for_studies()
        assert time.monotonic() - begun < 3
        server.trouble.clear()
        monkeypatch.setattr(module, "MOST_BYTES", 1)
        server.trouble["/studies"] = "html"
        with pytest.raises(module._TooLargeError):
            connect(server.address, 5).search_for_studies()


def test_a_busy_server_is_asked_again_and_no_other_is():
    with dicomweb_server() as server:
        for status, tries in ((503, 3), (404, 1), (500, 1)):
            server.trouble["/studies"] = status
            server.asked.clear()
            with pytest.raises(requests.HTTPError):
                connect(server.address, 5).search_for_studies()
            assert len(server.asked) == tries, status


def test_reasons():
    response = requests.Response()
    response.status_code, response.reason = 403, "Doe^Jane may not"
    expected = {
        requests.HTTPError(response=response): "403 Forbidden; give a user, a password or a token",
        requests.ReadTimeout("Doe^Jane"): "no whole answer within 7 s",
        module._TooLargeError(): "longer than 2 GiB",
        requests.exceptions.SSLError("Doe^Jane"): "certificate is not trusted",
        requests.ConnectionError("Doe^Jane"): "the connection failed",
        KeyError("Doe^Jane"): "damaged, or not what DICOMweb asks for (KeyError)",
    }
    for error, reason in expected.items():
        assert reason in reason_of(error, 7)
        assert "Doe" not in reason_of(error, 7)


@pytest.mark.parametrize("address", ["http:///x", "https://", "http://"])
def test_invalid_arguments(address):
    with pytest.raises(DicomwebError, match="expected an address such as"):
        connect(address, 1)
