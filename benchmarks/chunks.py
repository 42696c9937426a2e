"""Time the scan of few long directions, cut into more and fewer chunks: ``python benchmarks/chunks.py``.

Each row is one call of the backend ``cuda`` in a CUDA graph, forward and backward, beside how far its results are from
those with the numbers that the backend chooses. ``ops/cross_selective_scan/cuda.py`` follows these rows; it takes about
a minute. The record is ``benchmarks/results/<date>-chunks-<device>.json``.
"""

import sys
from functools import partial

import torch
from gpu_record import gpu_record
from timing import capture, milliseconds
from torch import Tensor

from monai_medmamba.ops.cross_selective_scan import cuda

STATES, RANK = 16, 4
CASES = (  # images, their tokens, channels, dtype
    *((1, (48,) * 3, channels, torch.bfloat16) for channels in (32, 96)),
    *((images, (32,) * 3, channels, torch.bfloat16) for images, channels in ((1, 32), (2, 32), (1, 96))),
    *((1, (24,) * 3, channels, torch.bfloat16) for channels in (32, 64)),
    (1, (16,) * 3, 32, torch.bfloat16),
    *((images, (224,) * 2, channels, torch.bfloat16) for images, channels in ((1, 32), (1, 96), (4, 96))),
    *((1, (112,) * 2, channels, torch.bfloat16) for channels in (64, 192)),
    (1, (56,) * 2, 96, torch.bfloat16),
    (1, (48,) * 3, 32, torch.float32),
)
NUMBERS = (16, 24, 32, 44, 58, 64, 88, 132, 176, 256)


def inputs(
    images: int, space: tuple[int, ...], channels: int, dtype: torch.dtype, device: str = "cuda"
) -> list[Tensor]:
    """Return the inputs of a call, decays as a network begins with."""
    torch.manual_seed(0)
    there, directions = {"device": device}, 2 * len(space)
    return [
        torch.randn(images, *space, channels, dtype=dtype, **there),
        0.5 * torch.randn(images, *space, directions, RANK + 2 * STATES, dtype=dtype, **there),
        0.3 * torch.randn(directions, channels, RANK, **there),
        torch.randn(directions, channels, **there) - 4,
        -torch.arange(1.0, STATES + 1, **there).repeat(directions, channels, 1),
        torch.ones(directions, channels, **there),
    ]


def tiles(channels: int, number: int) -> cuda._Tiles:
    """Return the tiles of a call with as many chunks in both passes."""
    serial, backward = cuda._serial(channels, STATES)
    return cuda._Tiles(serial, serial, backward, (number, number))


def error(found: tuple[Tensor, ...], expected: tuple[Tensor, ...]) -> float:
    """Return the largest distance of two results over the length of the second."""
    pairs = zip(found, expected, strict=True)
    return max(((a.double() - b.double()).norm() / b.double().norm()).item() for a, b in pairs)


def measure(tensors: list[Tensor], number: int | None) -> dict:
    """Return the times of both passes with some number of chunks; None for what the backend chooses."""
    chosen = cuda._tiles
    cotangent = torch.randn_like(tensors[0])
    own = (cuda.forward(*tensors), *cuda.backward(cotangent, *tensors))
    try:
        if number is not None:
            cuda._tiles = lambda *_: tiles(tensors[0].shape[-1], number)
        found = (cuda.forward(*tensors), *cuda.backward(cotangent, *tensors))
        passes = partial(cuda.forward, *tensors), partial(cuda.backward, cotangent, *tensors)
        forward, backward = (milliseconds(capture(run), tensors[0].device, seconds=0.05) for run in passes)
        chunks = list(cuda._Call(*tensors).tiles.chunks)
    finally:
        cuda._tiles = chosen
    return {
        "chunks": chunks,
        "forward_ms": forward,
        "backward_ms": backward,
        "error": float(f"{error(found, own):.2g}"),
    }


def main() -> int:
    """Measure every case."""
    record = gpu_record(__doc__, "chunks", 150, {"states": STATES, "rank": RANK})
    for images, space, channels, dtype in CASES:
        tensors = inputs(images, space, channels, dtype)
        what = {"what": "scan", "images": images, "space": list(space), "channels": channels, "dtype": str(dtype)[6:]}
        record.row({**what, "number": "chosen"}, partial(measure, tensors, None))
        for number in NUMBERS:
            record.row({**what, "number": number}, partial(measure, tensors, number))
    return 0


if __name__ == "__main__":
    sys.exit(main())
