"""CUDA C++ compiled on the user's machine when it is first needed, and kept on disk for the next process.

The compiler (NVRTC) and its bindings come with the CUDA builds of torch: no nvcc, no header, nothing at install.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from ctypes import c_int, c_void_p
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

__all__ = ["CACHE_VARIABLE", "KINDS", "NUMBERS", "Program", "cache_folder", "lacking", "missing", "parameter_dtype"]

logger = logging.getLogger(__name__)

CACHE_VARIABLE = "MONAI_MEDMAMBA_CACHE"
KINDS = {torch.float32: 0, torch.bfloat16: 1, torch.float16: 2, torch.float64: 3}
"""The macro IO of each dtype."""
NUMBERS = Path(__file__).with_name("numbers.cu")
"""The text that a kernel of such numbers begins with."""
_OLDEST = (8, 0)


@functools.cache
def missing() -> str:
    """Returns why nothing can be compiled in this process; empty if it can.

    Returns:
        The reason and its cure, or an empty string.

    Example:
        >>> isinstance(missing(), str)
        True
    """
    try:
        from cuda.bindings import driver, nvrtc

        _checked(nvrtc.nvrtcVersion())
        del driver
    except (ImportError, RuntimeError, OSError) as error:
        return (
            f"the run-time compiler cannot be loaded ({error}); it comes with the CUDA builds of torch: "
            "pip install cuda-bindings nvidia-cuda-nvrtc of torch's CUDA version"
        )
    return ""


def lacking(x: Tensor) -> list[str]:
    """Returns every reason why kernels of ours cannot run on a tensor.

    Args:
        x: of floating numbers.

    Returns:
        The reasons; empty if they can run.

    Example:
        >>> lacking(torch.zeros(1))
        ['needs CUDA tensors, got cpu']
    """
    if x.device.type != "cuda":
        return [f"needs CUDA tensors, got {x.device.type}"]
    reasons = [] if x.dtype in KINDS else [f"knows no {x.dtype}"]
    if torch.cuda.get_device_capability(x.device) < _OLDEST:
        reasons.append(f"needs compute capability 8.0 or newer; this is {torch.cuda.get_device_name(x.device)}")
    elif missing():
        reasons.append(missing())
    return reasons


def parameter_dtype(x: Tensor, parameter: Tensor) -> torch.dtype:
    """Returns the dtype in which a kernel takes a parameter: its own, if that is the map's or what it computes with.

    Args:
        x: the map.
        parameter: a weight.

    Returns:
        That of ``x``, or float32 or wider.

    Example:
        >>> parameter_dtype(torch.zeros(1, dtype=torch.bfloat16), torch.zeros(1, dtype=torch.float16))
        torch.float32
    """
    return x.dtype if parameter.dtype == x.dtype else torch.promote_types(x.dtype, torch.float32)


def cache_folder() -> Path:
    """Returns where compiled programs are kept: ``MONAI_MEDMAMBA_CACHE``, else a folder in the user's cache.

    Returns:
        A folder that may not exist yet.

    Example:
        >>> cache_folder().name
        'monai_medmamba'
    """
    named = os.environ.get(CACHE_VARIABLE, "").strip()
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "monai_medmamba"


class Program:
    """One CUDA C++ source compiled for one device and one set of constants.

    Args:
        source: CUDA C++ that includes no header.
        constants: preprocessor macros.
        device: a CUDA device, which names the architecture.

    Raises:
        RuntimeError: the compiler refuses the source, with its log.

    Example:
        >>> Program("", {}, torch.device("cuda"))  # doctest: +SKIP
    """

    def __init__(self, source: str, constants: Mapping[str, int], device: torch.device) -> None:
        from cuda.bindings import driver

        major, minor = torch.cuda.get_device_capability(device)
        options = [f"--gpu-architecture=sm_{major}{minor}", "--std=c++17", "--device-as-default-execution-space"]
        options += [f"--define-macro={name}={value}" for name, value in constants.items()]
        with torch.cuda.device(device):
            torch.cuda.current_stream().synchronize()  # torch makes the device's context
            self._context = _checked(driver.cuCtxGetCurrent())
            self._module = _checked(driver.cuModuleLoadData(_compiled(source, options)))
        self._device = device
        self._functions: dict[tuple[str, int], Any] = {}

    def launch(
        self, name: str, blocks: int, threads: int, shared_bytes: int, arguments: Sequence[Tensor | int | None]
    ) -> None:
        """Runs a kernel on torch's current stream.

        Args:
            name: of an ``extern "C"`` kernel.
            blocks: in the grid's first dimension.
            threads: of a block.
            shared_bytes: dynamic shared memory of a block.
            arguments: tensors for pointers, None for a null pointer, numbers for 32-bit integers.
        """
        from cuda.bindings import driver

        values = tuple(a.data_ptr() if isinstance(a, Tensor) else a or 0 for a in arguments)
        types = tuple(c_int if isinstance(a, int) else c_void_p for a in arguments)
        stream = torch.cuda.current_stream(self._device).cuda_stream
        with torch.cuda.device(self._device):
            _checked(driver.cuCtxSetCurrent(self._context))  # a new thread has none until torch launches something
            function = self._function(name, shared_bytes)
            _checked(
                driver.cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, shared_bytes, stream, (values, types), 0)
            )

    def _function(self, name: str, shared_bytes: int) -> Any:
        if (name, shared_bytes) not in self._functions:
            from cuda.bindings import driver

            function = _checked(driver.cuModuleGetFunction(self._module, name.encode()))
            limit = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
            _checked(driver.cuFuncSetAttribute(function, limit, shared_bytes))
            self._functions[name, shared_bytes] = function
        return self._functions[name, shared_bytes]


def _compiled(source: str, options: Sequence[str]) -> bytes:
    """Returns the machine code, from disk where an earlier process left it."""
    from cuda.bindings import nvrtc

    version = _checked(nvrtc.nvrtcVersion())
    key = hashlib.sha256("\0".join([source, *options, str(version)]).encode()).hexdigest()
    file = cache_folder() / f"{key}.cubin"
    try:
        return file.read_bytes()
    except OSError:
        pass  # not there yet, or not readable: compile
    program = _checked(nvrtc.nvrtcCreateProgram(source.encode(), b"kernels.cu", 0, [], []))
    (error,) = nvrtc.nvrtcCompileProgram(program, len(options), [option.encode() for option in options])
    if error:
        log = b" " * _checked(nvrtc.nvrtcGetProgramLogSize(program))
        nvrtc.nvrtcGetProgramLog(program, log)
        raise RuntimeError(
            f"NVRTC {version} cannot compile the kernels with {' '.join(options)}: {log.decode().strip(chr(0)).strip()}"
        )
    code = b" " * _checked(nvrtc.nvrtcGetCUBINSize(program))
    _checked(nvrtc.nvrtcGetCUBIN(program, code))
    nvrtc.nvrtcDestroyProgram(program)
    _keep(code, file)
    return code


def _keep(code: bytes, file: Path) -> None:
    """Writes a file whole or not at all; a cache that cannot be written costs time, not results."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as partial:
            partial.write(code)
        Path(partial.name).replace(file)
    except OSError as error:
        logger.warning("compiled code is not kept: %s; name a writable folder in %s", error, CACHE_VARIABLE)


def _checked(result: tuple[Any, ...]) -> Any:
    """Returns what a CUDA call gave.

    Raises:
        RuntimeError: the call failed.
    """
    error, *values = result
    if error:
        raise RuntimeError(f"CUDA answered {error!r}")
    return None if not values else values[0] if len(values) == 1 else tuple(values)
