"""CUDA kernels on a CPU: every GPU thread is a fiber, so their values can be tested without a GPU."""

import contextlib
import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from monai_medmamba.ops.cross_selective_scan import api
from monai_medmamba.ops.nvrtc import NUMBERS

HERE = Path(__file__).parent
cuda = api.cuda


class Tile(NamedTuple):
    """A tile in the kernel's terms: time warps, tokens of each, channel warps."""

    time_warps: int
    tokens: int
    channel_warps: int

    @property
    def full(self) -> cuda._Tile:
        """The package's own record."""
        return cuda._Tile(*self, blocks=1)


class Emulated(NamedTuple):
    """The kernels for one set of sizes."""

    ends: ctypes.CDLL
    forward: ctypes.CDLL
    both_ends: ctypes.CDLL
    backward: ctypes.CDLL
    save: int
    segment: int
    block_channels: int


def compiled(source: str, kernels: Path, constants: Mapping[str, int], library: Path) -> ctypes.CDLL:
    """Compile kernels with the launches of ``source`` beside this file; skip the test where there is no compiler."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("the emulator of the CUDA kernels needs g++")
    files = {"NUMBERS": f'"{NUMBERS}"', "SOURCE": f'"{kernels}"'}
    macros = [f"-D{name}={value}" for name, value in {**constants, **files}.items()]
    command = [compiler, "-O1", "-std=c++17", "-shared", "-fPIC", "-w", f"-I{HERE}", *macros]
    subprocess.run([*command, str(HERE / source), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


@contextlib.contextmanager
def emulated(forward: Tile, backward: Tile, tensors: Sequence[Tensor]) -> Iterator[Emulated]:
    """Compile the scan's kernels in float64 for some tensors' sizes."""
    x, _x_dbl, dt_weight, _dt_bias, A, _D = tensors
    states, rank, save = A.shape[-1], dt_weight.shape[-1], backward.full.segment
    with tempfile.TemporaryDirectory() as folder:
        libraries = []
        serial = backward._replace(time_warps=1)  # the only kind with both ends
        kernels = ((forward, False, 1), (forward, False, 0), (serial, False, 2), (backward, True, 0))
        for number, (tile, is_backward, ends) in enumerate(kernels):
            constants = {
                **{"BACKWARD": int(is_backward), "IO": 3, "DIMS": x.dim() - 2, "N": states, "R": rank, "BLOCKS": 1},
                **{"W": tile.time_warps, "M": tile.tokens, "CW": tile.channel_warps, "SAVE": save},
                **{"ENDS": ends, "WHOLE": int(x.shape[-1] % 4 == 0)},
                **{"SHARED": cuda._shared_bytes(tile.full, states, rank, 8, is_backward, ends)},
            }
            libraries.append(compiled("scan_emulator.cpp", cuda._SOURCE, constants, Path(folder) / f"{number}.so"))
        yield Emulated(*libraries, save, forward.full.segment, cuda._width(backward.channel_warps, states))


class EmulatedProgram:
    """Stands in for ``nvrtc.Program`` where the kernels have launches ``launch_<name>`` in a file beside this one."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library

    def launch(
        self, name: str, blocks: int, threads: int, shared_bytes: int, arguments: Sequence[Tensor | int | None]
    ) -> None:
        """Run a kernel, thread by thread."""
        values = [ctypes.c_void_p(a.data_ptr()) if isinstance(a, Tensor) else a for a in arguments]
        getattr(self._library, f"launch_{name}")(blocks, threads, shared_bytes, *values)


def scan_forward(library: Emulated, tensors: Sequence[Tensor], chunks: int = 1) -> tuple[Tensor, Tensor]:
    """Return y and the states that the backward pass wants, from directions cut into at most that many chunks."""
    x, A = tensors[0], tensors[4]
    y = torch.full((A.shape[0], *x.shape), torch.nan, dtype=x.dtype)
    length = x[0, ..., 0].numel()
    states = y.new_full((len(x), A.shape[0], -(-length // library.save), *A.shape[1:]), torch.nan)
    unit = max(library.segment, library.save)
    tokens = -(-length // (chunks * unit)) * unit
    chunks = -(-length // tokens)
    ends = y.new_full((len(x), A.shape[0], chunks, *A.shape[1:]), torch.nan)
    steps = ends[..., 0].clone()
    if chunks > 1:
        first = [*map(_pointer, tensors), None, None, None, *map(_pointer, (ends, steps))]
        library.ends.forward(*first, tokens, chunks - 1, *_sizes(x))
        library.ends.join(*map(_pointer, (A, ends, steps)), chunks, len(x), x.shape[-1])
    begins = _pointer(ends) if chunks > 1 else None
    second = [*map(_pointer, tensors), None, *map(_pointer, (y, states)), begins, None]
    library.forward.forward(*second, tokens, chunks, *_sizes(x))
    return y.sum(0), states


def scan_backward(
    library: Emulated, tensors: Sequence[Tensor], grad_y: Tensor, states: Tensor, chunks: int = 1
) -> dict[str, Tensor]:
    """Return the gradient of each tensor, from directions cut into at most that many chunks."""
    x, x_dbl, dt_weight, _dt_bias, A, _D = tensors
    groups, rank = -(-x.shape[-1] // library.block_channels), dt_weight.shape[-1]
    length = x[0, ..., 0].numel()
    tokens = -(-length // (chunks * library.save)) * library.save
    chunks = -(-length // tokens)
    parts = chunks * len(x)
    shapes = [(A.shape[0], *x.shape), (groups, *x_dbl.shape), (parts, *A.shape), (parts, *A.shape[:2], rank + 2)]
    results = [x.new_full(shape, torch.nan) for shape in shapes]
    ends = x.new_full((2, len(x), A.shape[0], chunks, *A.shape[1:]), torch.nan)
    steps = ends[0, ..., 0].clone()
    if chunks > 1:
        first = [*map(_pointer, (*tensors, grad_y)), None, None, *map(_pointer, (ends, steps))]
        library.both_ends.forward(*first, tokens, chunks, *_sizes(x))
        library.both_ends.join(*map(_pointer, (A, ends, steps)), chunks, len(x), x.shape[-1])
    begins = _pointer(ends[1]) if chunks > 1 else None
    arguments = map(_pointer, (*tensors, grad_y, states, *results))
    library.backward.backward(*arguments, begins, tokens, chunks, *_sizes(x))
    dx, dx_dbl, dA, step = (result.sum(0) for result in results)
    names = ("x", "x_dbl", "dt_weight", "dt_bias", "A", "D")
    return dict(zip(names, (dx, dx_dbl, step[..., :rank], step[..., rank], dA, step[..., rank + 1]), strict=True))


def _pointer(tensor: Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.contiguous().data_ptr())


def _sizes(x: Tensor) -> tuple[int, ...]:
    space = x.shape[1:-1]
    return (len(x), x[0, ..., 0].numel(), x.shape[-1], *space, *([1] if len(space) == 2 else []))
