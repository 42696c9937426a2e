"""Time our operators of a map beside torch's: ``python benchmarks/operators.py``, on a GPU.

The layer normalisation and the depthwise convolution, forward and backward, by our kernels and by torch's, in CUDA
graphs; then networks that run on torch's operators, on our convolution, and on both of ours. cuDNN searches for its
fastest algorithms. It takes about three minutes. The record is ``benchmarks/results/<date>-operators-<device>.json``.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from cases import BF16
from gpu_record import gpu_record
from timing import capture, milliseconds, release
from torch import Tensor

from monai_medmamba.layers import normalization, ss_nd
from monai_medmamba.networks import create_medmamba
from monai_medmamba.ops.depthwise_convolution import api as convolution
from monai_medmamba.ops.layer_norm import api as norm

NORMS = (  # positions, channels, channels that lie between them
    *((200704, 48, 48), (200704, 96, 0), (50176, 192, 0), (12544, 384, 0), (3136, 768, 0), (110592, 16, 16)),
    *((110592, 32, 0), (3136, 48, 48)),
)
CONVOLUTIONS = (  # images, space, channels
    *((64, (56,) * 2, 96), (64, (28,) * 2, 192), (64, (14,) * 2, 384), (64, (7,) * 2, 768), (1, (56,) * 2, 96)),
    *((8, (24,) * 3, 96), (8, (12,) * 3, 192), (8, (6,) * 3, 384), (8, (3,) * 3, 768), (1, (48,) * 3, 32)),
)
NETWORKS = (
    *(("medmamba_tiny", (224,) * 2, 64), ("medmamba_nano", (224,) * 2, 64)),
    *(("medmamba_tiny", (96,) * 3, 8), ("medmamba_nano", (96,) * 3, 8)),
)
CLASSES = 6
Call = Callable[[], object]


def norm_calls(positions: int, channels: int, beside: int, dtype: torch.dtype, device: torch.device) -> dict[str, Call]:
    """Return the passes of a normalisation, torch's with its own statistics kept."""
    x = torch.randn(positions, beside + channels, dtype=dtype, device=device)[:, beside:]
    grad_y = torch.randn(positions, channels, dtype=dtype, device=device)
    parameters = torch.randn(2, channels, device=device)
    call, kept = (x.contiguous(), [channels]), parameters.to(dtype)
    mean, rstd = torch.ops.aten.native_layer_norm(*call, *kept, 1e-5)[1:]
    backward = torch.ops.aten.native_layer_norm_backward
    return {
        "torch_forward_ms": lambda: F.layer_norm(x, [channels], *kept),
        "torch_backward_ms": lambda: backward(grad_y, x.contiguous(), [channels], mean, rstd, *kept, [True] * 3),
        "own_forward_ms": lambda: norm.KERNELS.forward(x, *parameters),
        "own_backward_ms": lambda: norm.KERNELS.backward(grad_y, x, *parameters),
    }


def convolution_calls(
    images: int, space: tuple[int, ...], channels: int, dtype: torch.dtype, device: torch.device
) -> dict[str, Call]:
    """Return the passes of a convolution."""
    x, grad_y = (torch.randn(images, *space, channels, dtype=dtype, device=device) for _ in range(2))
    weight, bias = (torch.randn(channels, *shape, device=device) for shape in ((1, *[3] * len(space)), ()))
    found = {}
    for name, way in (("torch", convolution.FALLBACK), ("own", convolution.KERNELS)):
        found[f"{name}_forward_ms"] = partial(way.forward, x, weight, bias)
        found[f"{name}_backward_ms"] = partial(way.backward, grad_y, x, weight, bias)
    return found


def measure(calls: Callable[[], dict[str, Call]], device: torch.device) -> dict:
    """Return the time of each call."""
    release()
    return {name: milliseconds(capture(run), device, seconds=0.05) for name, run in calls().items()}


@contextlib.contextmanager
def on(operators: str) -> Iterator[None]:
    """Let networks run on ``torch``'s operators, on our ``convolution``, or on ``both`` of ours."""
    before = ss_nd.depthwise_convolution, normalization._has_kernels

    def of_torch(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        convolve = F.conv2d if x.dim() == 4 else F.conv3d
        y = convolve(x.movedim(-1, 1), weight, padding=1, groups=len(bias)).movedim(1, -1)
        return y + bias.to(y.dtype)

    if operators == "torch":
        ss_nd.depthwise_convolution = of_torch
    if operators != "both":
        normalization._has_kernels = lambda *_: False
    try:
        yield
    finally:
        ss_nd.depthwise_convolution, normalization._has_kernels = before


def network_figures(name: str, space: tuple[int, ...], batch: int, operators: str, device: torch.device) -> dict:
    """Return the times of a fused forward pass and of a training step, both in CUDA graphs, in bf16."""
    release()
    network = create_medmamba(name, len(space), 3, num_classes=CLASSES).to(device)
    x, label = torch.randn(batch, 3, *space, device=device), torch.zeros(batch, dtype=torch.long, device=device)
    fused = network.eval().fuse(torch.bfloat16)
    optimizer = torch.optim.AdamW(network.train().parameters(), fused=True, capturable=True)

    def forward() -> Tensor:
        with torch.no_grad():
            return fused(x)

    def step() -> None:
        optimizer.zero_grad()
        with BF16.set(device):
            loss = F.cross_entropy(network(x), label)
        loss.backward()
        optimizer.step()

    with on(operators):
        return {
            "forward_ms": milliseconds(capture(forward), device, seconds=0.2),
            "training_step_ms": milliseconds(capture(step), device, seconds=0.3),
        }


def main() -> int:
    """Measure every case."""
    record, device = gpu_record(__doc__, "operators", 240, {"cudnn_benchmark": True}), torch.device("cuda")
    torch.backends.cudnn.benchmark = True
    for dtype in (torch.bfloat16, torch.float32):
        named = {"dtype": str(dtype)[6:]}
        for positions, channels, beside in NORMS:
            what = {"what": "layer_norm", "positions": positions, "channels": channels, "beside": beside, **named}
            record.row(what, partial(measure, partial(norm_calls, positions, channels, beside, dtype, device), device))
        for images, space, channels in CONVOLUTIONS:
            what = {"what": "depthwise_convolution", "images": images, "space": list(space), "channels": channels}
            calls = partial(convolution_calls, images, space, channels, dtype, device)
            record.row({**what, **named}, partial(measure, calls, device))
    for name, space, batch in NETWORKS:
        for operators in ("torch", "convolution", "both"):
            what = {"what": "network", "network": name, "space": list(space), "batch": batch, "operators": operators}
            record.row(what, partial(network_figures, name, space, batch, operators, device))
    return 0


if __name__ == "__main__":
    sys.exit(main())
