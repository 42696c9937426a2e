"""DICOM in and out."""
from .algorithm import Algorithm, describe_algorithm
from .codes import PRIVATE_SCHEME, Code, class_codes
from .read_report import read_report
from .report import Instance, Report, Result
from .source import Missed, SourceError, read_sources
from .structured_report import build_report, write_report
