"""The kinds of files, in the order of the help."""

from __future__ import annotations

from . import aotinductor_package, exported_program, onnx_file, torchscript_file
from .file_format import FileFormat

__all__ = ["FORMATS"]

FORMATS: tuple[FileFormat, ...] = (
    onnx_file.FORMAT,
    torchscript_file.FORMAT,
    exported_program.FORMAT,
    aotinductor_package.FORMAT,
)
"""Every kind of file that ``medmamba export`` writes."""
