"""The selective scan as a layer: SS2D for images and SS3D for volumes."""

from __future__ import annotations

import functools
import math

import torch
import torch.nn.functional as F
from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from ..ops import cross_selective_scan, depthwise_convolution
from .initialization import init_log_decay, init_step_bias
from .normalization import layer_norm
from .recomputation import recomputed
from .small_maps import convolve_each_channel, is_small

__all__ = ["SS2D", "SS3D"]

_KEPT = (torch.ops.monai_medmamba.cross_selective_scan.default,)  # computed once a step, whatever is computed again


class _SSND(nn.Module):
    """The layer for any number of spatial axes; see SS2D and SS3D."""

    def __init__(
        self,
        spatial_dims: int,
        dim: int,
        d_state: int = 16,
        d_conv: int = 3,
        expand: int = 2,
        dt_rank: int | None = None,
        dt_min: float = 0.001,
        dt_max: float = 0.1,
        backend: str | None = None,
    ) -> None:
        super().__init__()
        inner = expand * dim
        rank = math.ceil(dim / 16) if dt_rank is None else dt_rank
        directions = 2 * spatial_dims
        self.backend, self.frozen = backend, False
        self.in_proj = nn.Linear(dim, 2 * inner, bias=False)
        self.conv = Conv[Conv.CONV, spatial_dims](inner, inner, d_conv, padding=(d_conv - 1) // 2, groups=inner)
        self.x_proj_weight = nn.Parameter(torch.empty(directions, rank + 2 * d_state, inner))
        self.dt_weight = nn.Parameter(torch.empty(directions, inner, rank))
        self.dt_bias = nn.Parameter(torch.empty(directions, inner))
        self.A_log = nn.Parameter(torch.empty(directions, inner, d_state))
        self.D = nn.Parameter(torch.ones(directions, inner))
        self.out_norm = nn.LayerNorm(inner)
        self.out_proj = nn.Linear(inner, dim, bias=False)

        nn.init.uniform_(self.x_proj_weight, -(inner**-0.5), inner**-0.5)
        nn.init.uniform_(self.dt_weight, -(rank**-0.5), rank**-0.5)
        init_step_bias(self.dt_bias, dt_min, dt_max)
        init_log_decay(self.A_log)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the mixed map, (B, *space, dim), from a map (B, *space, dim)."""
        # A GPU's memory runs out before its time. To keep only the input and the scan costs the host more for each
        # step, but nothing once the step is compiled or captured.
        again = self.training and x.is_cuda
        if again and (torch.compiler.is_dynamo_compiling() or torch.cuda.is_current_stream_capturing()):
            return recomputed(True, functools.partial(self._mix, False), x, kept=_KEPT)
        return self._mix(again, x)

    def _mix(self, again: bool, x: Tensor) -> Tensor:
        # Two products in place of one that is split: the convolution would copy its half of the result.
        weight_of_features, weight_of_gate = self.in_proj.weight.chunk(2)
        features = recomputed(again, self._features, x, weight_of_features)
        weight, dt_weight, decay_rate = self.scan_parameters()
        projected = F.linear(features, weight.flatten(0, 1))
        projected = projected.unflatten(-1, weight.shape[:2])  # (B, *space, K, R + 2N)
        y = cross_selective_scan(features, projected, dt_weight, self.dt_bias, decay_rate, self.D, backend=self.backend)
        return recomputed(again, self._gated, y, F.linear(x, weight_of_gate))

    def _features(self, x: Tensor, weight: Tensor) -> Tensor:
        return F.silu(self._convolve(F.linear(x, weight))).contiguous()  # (B, *space, D)

    def _gated(self, y: Tensor, gate: Tensor) -> Tensor:
        return self.out_proj(layer_norm(y, self.out_norm) * F.silu(gate))

    def _convolve(self, x: Tensor) -> Tensor:
        if not x.is_cuda:
            return self.conv(x.movedim(-1, 1)).movedim(1, -1)
        if is_small(x, self.training):
            return convolve_each_channel(self.conv, x)
        conv = self.conv
        if set(conv.kernel_size) == {3} and not (torch.jit.is_tracing() or torch.onnx.is_in_onnx_export()):
            return depthwise_convolution(x, conv.weight, conv.bias)
        # cuDNN adds the bias of a convolution of one channel each in a pass of its own, and torch.compile would keep
        # the sum with channels first.
        convolve = F.conv2d if x.dim() == 4 else F.conv3d
        y = convolve(x.movedim(-1, 1), conv.weight, padding=conv.padding, groups=conv.groups).movedim(1, -1)
        return y + conv.bias.to(y.dtype)

    def scan_parameters(self) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the weights of x_proj and of the step, and the state matrix, as the scan wants them.

        The rank is padded with zeros to a multiple of four: rows of the projections then begin where a GPU can load
        several values at once. The result is the same.
        """
        if self.frozen:
            return self.x_proj_weight, self.dt_weight, self.A_log
        padding = -self.dt_weight.shape[-1] % 4
        weight = F.pad(self.x_proj_weight, (0, 0, padding, 0))  # the step's rows come first
        dt_weight = F.pad(self.dt_weight, (padding, 0))
        decay_rate = -torch.exp(self.A_log.float() if self.A_log.dtype != torch.float64 else self.A_log)
        return weight, dt_weight, decay_rate

    def freeze(self) -> None:
        """Computes once what the scan wants of the parameters, in place: for inference alone."""
        found = [nn.Parameter(tensor.detach(), requires_grad=False) for tensor in self.scan_parameters()]
        self.x_proj_weight, self.dt_weight, self.A_log = found
        self.frozen = True


class SS2D(_SSND):
    """Mixes the positions of an image with a selective scan along rows and columns, both ways.

    Source: MedMamba (arXiv 2403.03849), section 3.2, after VMamba (arXiv 2401.10166). The projections of the four
    directions are one matrix product in image order; the values are those of the published network.

    Args:
        dim: features of a position.
        d_state: states per channel, N.
        d_conv: edge of the depthwise convolution's kernel, odd.
        expand: inner channels per feature, D = expand * dim.
        dt_rank: rank of the step's projection, R; None for ceil(dim / 16).
        dt_min: smallest initial step.
        dt_max: largest initial step.
        backend: of the scan; see :func:`monai_medmamba.ops.cross_selective_scan`.

    Example:
        >>> SS2D(dim=8)(torch.randn(1, 5, 7, 8)).shape
        torch.Size([1, 5, 7, 8])
    """

    def __init__(
        self,
        dim: int,
        d_state: int = 16,
        d_conv: int = 3,
        expand: int = 2,
        dt_rank: int | None = None,
        dt_min: float = 0.001,
        dt_max: float = 0.1,
        backend: str | None = None,
    ) -> None:
        super().__init__(2, dim, d_state, d_conv, expand, dt_rank, dt_min, dt_max, backend)


class SS3D(_SSND):
    """Mixes the positions of a volume with a selective scan along its three axes, both ways.

    Args:
        dim: features of a position.
        d_state: states per channel, N.
        d_conv: edge of the depthwise convolution's kernel, odd.
        expand: inner channels per feature, D = expand * dim.
        dt_rank: rank of the step's projection, R; None for ceil(dim / 16).
        dt_min: smallest initial step.
        dt_max: largest initial step.
        backend: of the scan; see :func:`monai_medmamba.ops.cross_selective_scan`.

    Example:
        >>> SS3D(dim=8)(torch.randn(1, 3, 4, 5, 8)).shape
        torch.Size([1, 3, 4, 5, 8])
    """

    def __init__(
        self,
        dim: int,
        d_state: int = 16,
        d_conv: int = 3,
        expand: int = 2,
        dt_rank: int | None = None,
        dt_min: float = 0.001,
        dt_max: float = 0.1,
        backend: str | None = None,
    ) -> None:
        super().__init__(3, dim, d_state, d_conv, expand, dt_rank, dt_min, dt_max, backend)
