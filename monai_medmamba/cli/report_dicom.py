"""``medmamba report-dicom``: predictions of DICOM files as structured reports of their studies."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .failures import list_failures, reasons

if TYPE_CHECKING:
    from ..dicom import StudyReport
    from ..inference import Failure
    from ..metrics import FindingPredictions, Predictions

__all__ = ["add_to"]

METHODS = ("occlusion", "gradcam", "hirescam", "scan")
EXAMPLES = """\
examples:
  medmamba predict chest/ --modality CR DX --weights model.safetensors --out results.csv
  medmamba report-dicom results.csv --weights model.safetensors --codes codes.csv --out reports/
  medmamba report-dicom results.csv --weights models/model.pt --bundle . --cam occlusion --fhir --out reports/

DIR gets <StudyInstanceUID>-report.dcm for each study: DICOM SR by template TID 1500, preliminary and unverified, with
the patient and study of the images. --cam adds <SOPInstanceUID>-map.dcm for each image, a secondary capture; --fhir
adds <StudyInstanceUID>-report.json, FHIR R4 resources. All hold the patients' data.
Images that are no DICOM, or cannot be part of a report, are passed over and listed at the end with the reason.
exit status: 0 all reported, 1 nothing done (the message says why), 2 some images are in no report

codes.csv has a row a class: class,value,scheme,meaning. Without it the private scheme 99MEDMAMBA is used.
Not for diagnostic use.
"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "report-dicom",
        help="write DICOM structured reports of predictions",
        description="Write a DICOM structured report for each study that a table of predictions has images of.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "predictions",
        type=Path,
        metavar="CSV",
        help="written by `predict --out` or by a bundle; its images are DICOM files, or folders with a series each",
    )
    parser.add_argument("--weights", type=Path, required=True, metavar="W", help="that the predictions were made with")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="to write into")
    parser.add_argument("--codes", type=Path, metavar="TABLE", help="CSV or JSON file with a code for each class")
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="bundle that gives the algorithm's name and version")
    parser.add_argument("--root", type=Path, default=Path(), metavar="DIR", help="where relative names start from")
    parser.add_argument("--series", metavar="UID", help="of a folder with several, as for volumes; or: largest")
    parser.add_argument("--cam", choices=METHODS, metavar="M", help=f"draw what counted: {', '.join(METHODS)}")
    parser.add_argument(
        "--window", type=float, nargs=2, metavar=("CENTER", "WIDTH"), help="of --cam, for grey files, as for `predict`"
    )
    parser.add_argument("--fhir", action="store_true", help="write FHIR R4 resources too")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="of --cam (auto)")
    parser.add_argument("--quiet", action="store_true", help="no summary; failures are still listed")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from ..dicom import class_codes, describe_algorithm, report_studies, write_fhir, write_reports
    from ..inference import Failure
    from ..metrics import FindingPredictions

    window = arguments.window
    if window is not None and not window[1] >= 1:
        raise ValueError(f"expected --window CENTER WIDTH with a width of 1 or more, got {window[1]:g}")
    table = _read(arguments.predictions)
    studies, missed = report_studies(
        table.images,
        table.probabilities,
        class_codes(table.class_names, arguments.codes),
        describe_algorithm(arguments.weights, arguments.bundle),
        several_labels=isinstance(table, FindingPredictions),
        root=arguments.root,
        series=arguments.series,
    )
    failures = [Failure(*one) for one in missed]
    if not studies:
        raise ValueError(f"no image to report on{reasons(failures)}")
    maps, undrawn = _draw_maps(arguments, studies, table.class_names) if arguments.cam else (0, [])
    write_reports(arguments.out, studies)
    if arguments.fhir:
        for study in studies:
            write_fhir(arguments.out / f"{study.report.study}-report.json", study)
    if not arguments.quiet:
        images = sum(len(study.images) for study in studies)
        also = f", {maps} maps" if arguments.cam else ""
        sys.stdout.write(f"{images} images of {len(studies)} studies reported{also} in {arguments.out}\n")
    return list_failures(failures + undrawn, len(table.images), "reported")


def _read(path: Path) -> Predictions | FindingPredictions:
    from ..metrics import read_findings, read_predictions
    from ..metrics.findings import is_findings_table

    return read_findings(path) if is_findings_table(path) else read_predictions(path)


def _draw_maps(
    arguments: argparse.Namespace, studies: list[StudyReport], class_names: list[str]
) -> tuple[int, list[Failure]]:
    """Writes a map of each image's most probable class; returns how many, and the images that have none."""
    from highdicom import UID

    from ..dicom import write_secondary_capture
    from ..explain import load_painter
    from ..inference import Failure
    from ..transforms import ImageReadError

    painter = load_painter(arguments.weights, arguments.cam, arguments.device)
    window = None if arguments.window is None else tuple(arguments.window)
    drawn, failures = 0, []
    for study in studies:
        series = UID()
        rows = zip(study.images, study.headers, study.report.results, strict=True)
        for number, (image, header, result) in enumerate(rows, 1):
            name, value = max(zip(class_names, result.probabilities, strict=True), key=lambda pair: pair[1])
            title = f"{name}: probability {value:.2f}"
            try:
                picture = painter.paint(arguments.root / image, name, title, window)
            except ImageReadError as error:
                failures.append(Failure(image, f"no map: {error.found}. {error.cure}."))
                continue
            derivation = f"{arguments.cam} map of what speaks for {name}, by {study.report.algorithm.version}"
            path = arguments.out / f"{header.SOPInstanceUID}-map.dcm"  # its UID is valid: digits and dots
            write_secondary_capture(path, picture, header, derivation, series=series, number=number)
            drawn += 1
    return drawn, failures
