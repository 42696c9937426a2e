"""DICOM in and out: series from a DICOMweb server, results as structured reports, pictures and FHIR resources.

A prediction of a DICOM image goes back to where the image came from, as a report of its own in the same study: which
class, how probable, from which instance, by which algorithm. Nothing that a file says of a patient is logged or quoted
in an error.
"""

from .algorithm import Algorithm, describe_algorithm
from .codes import PRIVATE_SCHEME, Code, class_codes
from .dicomweb import FetchedSeries, fetch_series
from .dicomweb_client import DicomwebError
from .fetched_folder import fetch_folder
from .fhir import fhir_bundle, write_fhir
from .read_report import read_report
from .report import Instance, Report, Result
from .report_handler import StructuredReports
from .secondary_capture import write_secondary_capture
from .selection import Selection, select_files, split_words
from .source import Missed, SourceError, read_sources
from .structured_report import write_report
from .study_reports import StudyReport, report_studies, write_reports

__all__ = [
    "PRIVATE_SCHEME",
    "Algorithm",
    "Code",
    "DicomwebError",
    "FetchedSeries",
    "Instance",
    "Missed",
    "Report",
    "Result",
    "Selection",
    "SourceError",
    "StructuredReports",
    "StudyReport",
    "class_codes",
    "describe_algorithm",
    "fetch_folder",
    "fetch_series",
    "fhir_bundle",
    "read_report",
    "read_sources",
    "report_studies",
    "select_files",
    "split_words",
    "write_fhir",
    "write_report",
    "write_reports",
    "write_secondary_capture",
]
