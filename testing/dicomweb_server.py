"""A small DICOMweb server on this machine: QIDO-RS in pages, WADO-RS in multipart, and whatever can go wrong."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pydicom

from monai_medmamba.transforms.dicom_library import write_file
from testing.dicom_patients import write_patient

ROOT = "/dicom-web"
STUDY = ("StudyInstanceUID", "PatientName", "PatientID", "PatientBirthDate", "AccessionNumber")
SERIES = ("StudyInstanceUID", "SeriesInstanceUID", "Modality")
INSTANCE = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")


class DicomwebServer(ThreadingHTTPServer):
    """Serves ``datasets``; ``trouble`` says what happens to requests whose path ends in a key.

    A trouble is an HTTP status, or one of: truncated, drip, hang, other, empty, html, twice, path.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.datasets: list[pydicom.Dataset] = []
        self.trouble: dict[str, int | str] = {}
        self.page, self.knows_pages, self.tells_body_part, self.filters = 2, True, True, True
        self.needs: str | None = None  # Authorization header
        self.asked: list[str] = []
        self.stopping = threading.Event()

    @property
    def address(self) -> str:
        """The root of its services."""
        return f"http://127.0.0.1:{self.server_port}{ROOT}"

    def add_radiographs(self, folder: Path) -> None:
        """Take three radiographs of a patient's chest and one of the knee into the archive."""
        for number in (1, 2, 3):
            self.add(write_patient(folder / "a.dcm", number=number))
        self.add(write_patient(folder / "b.dcm", series="2", Modality="DX", BodyPartExamined="KNEE"))

    def add(self, path: Path) -> pydicom.Dataset:
        """Take a file into the archive."""
        self.datasets.append(pydicom.dcmread(path))
        return self.datasets[-1]


class _Handler(BaseHTTPRequestHandler):
    server: DicomwebServer

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.server.asked.append(self.path)
        trouble = next((what for end, what in self.server.trouble.items() if url.path.endswith(end)), None)
        if self.server.needs and self.headers.get("Authorization") != self.server.needs:
            trouble = 401
        if isinstance(trouble, int):
            self.send_error(trouble, "Doe^Jane is not here", "Doe^Jane")
            return
        if trouble == "hang":
            self.server.stopping.wait(20)
            return
        words = url.path.removeprefix(ROOT).strip("/").split("/")
        values = dict(zip(words[::2], words[1::2], strict=False))
        found = [
            dataset
            for dataset in self.server.datasets
            if values.get("studies", dataset.StudyInstanceUID) == dataset.StudyInstanceUID
            and values.get("series", dataset.SeriesInstanceUID) == dataset.SeriesInstanceUID
            and values.get("instances", dataset.SOPInstanceUID) == dataset.SOPInstanceUID
        ]
        if words[-1] == "metadata":
            self._send_json([_described(dataset, dataset.dir()) for dataset in found[:1]], trouble)
        elif words[-1] in ("studies", "series", "instances"):
            self._search(words[-1], found, parse_qs(url.query), trouble)
        else:
            self._retrieve(found, trouble)

    def _search(self, level: str, found: list, query: dict, trouble: object) -> None:
        keys = {"studies": STUDY, "series": SERIES, "instances": INSTANCE}[level]
        wanted = (query.get("Modality") or query.get("ModalitiesInStudy") or [None])[0]
        if wanted and self.server.filters:
            found = [dataset for dataset in found if dataset.Modality == wanted]
        if "BodyPartExamined" in query.get("includefield", []) and self.server.tells_body_part:
            keys = (*keys, "BodyPartExamined")
        unique = {str(dataset.get(_uid_of(level))): dataset for dataset in found}
        results = [_described(dataset, keys) for dataset in unique.values()]
        if trouble == "path":
            for one in results:
                one[f"{pydicom.datadict.tag_for_keyword(_uid_of(level)):08X}"]["Value"] = ["../../evil"]
        start = int(query.get("offset", ["0"])[0]) if self.server.knows_pages else 0
        self._send_json(results[start : start + self.server.page] if self.server.knows_pages else results, trouble)

    def _send_json(self, results: list, trouble: object) -> None:
        if not results and trouble is None:
            self.send_response(204)
            self.end_headers()
            return
        body = b"<html>Doe^Jane</html>" if trouble == "html" else json.dumps(results).encode()
        self._send(body, "application/dicom+json", trouble)

    def _retrieve(self, found: list, trouble: object) -> None:
        if not found:
            self.send_error(404, "Doe^Jane is not here")
            return
        if trouble == "other":
            found = [dataset for dataset in self.server.datasets if dataset is not found[0]]
        parts = []
        for dataset in found[:1] * (2 if trouble == "twice" else 1):
            stream = BytesIO()
            write_file(stream, dataset)
            parts.append(b"--limit\r\nContent-Type: application/dicom\r\n\r\n" + stream.getvalue() + b"\r\n")
        body = b"" if trouble == "empty" else b"".join(parts) + b"--limit--\r\n"
        self._send(body, 'multipart/related; type="application/dicom"; boundary=limit', trouble)

    def _send(self, body: bytes, kind: str, trouble: object) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if trouble == "truncated":
            body = body[: len(body) // 2]
        if trouble == "drip":
            for place in range(len(body)):
                if self.server.stopping.is_set():
                    return
                self.wfile.write(body[place : place + 1])
                self.wfile.flush()
                time.sleep(0.05)
            return
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        """Say nothing of a client that has gone."""
        try:
            super().handle()
        except ConnectionError:
            return


def _uid_of(level: str) -> str:
    return {"studies": "StudyInstanceUID", "series": "SeriesInstanceUID", "instances": "SOPInstanceUID"}[level]


def _described(dataset: pydicom.Dataset, keys: object) -> dict:
    chosen = pydicom.Dataset()
    for key in keys:  # type: ignore[attr-defined]
        if key in dataset and key != "PixelData":
            chosen[key] = dataset[key]
    return chosen.to_json_dict()


@contextmanager
def dicomweb_server() -> Iterator[DicomwebServer]:
    """Run a server meanwhile."""
    server = DicomwebServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
