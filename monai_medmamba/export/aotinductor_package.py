"""The network compiled ahead of time by Inductor: a package for this kind of processor, with its own code."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from ..networks import MedMamba
from .exported_program import capture, remark
from .file_format import FileFormat

__all__ = ["FORMAT"]


def _write(network: MedMamba, path: Path, sample: Tensor, dynamic_size: bool, texts: Mapping[str, str]) -> str:
    """Compiles and writes the package, with the texts as its metadata.

    Raises:
        RuntimeError: there is no C++ compiler.
    """
    import torch._inductor as inductor  # importing it writes files
    from torch._inductor.exc import InductorError, InvalidCxxCompiler

    # Inductor's own choice of layouts takes our maps for channels-first ones and would copy them around each product.
    settings = {"layout_optimization": False, "aot_inductor.metadata": dict(texts)}
    program = capture(network, sample, dynamic_size)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch about its own parts
            inductor.aoti_compile_and_package(program, package_path=str(path), inductor_configs=settings)
    except (InductorError, InvalidCxxCompiler) as error:
        if not isinstance(getattr(error, "inner_exception", error), InvalidCxxCompiler):
            raise
        raise RuntimeError(
            "a package is compiled with a C++ compiler, and none was found: install GCC or Clang, or name it with CXX"
        ) from error
    return remark(network, dynamic_size)


def _load(path: Path) -> Callable[[Tensor], Tensor]:
    """Returns the package's network."""
    import torch._inductor as inductor

    return inductor.aoti_load_package(str(path))


FORMAT = FileFormat("aotinductor", ".pt2", _write, _load)
