"""Trained weights as files for other programs: ONNX, TorchScript, torch.export, and a compiled package.

Each file is compared with the network it was made from before it takes its place.
"""

from .export_weights import ExportedFile, export_weights
from .file_format import FileFormat
from .formats import FORMATS

__all__ = ["FORMATS", "ExportedFile", "FileFormat", "export_weights"]
