"""Batch normalisation over the images of all processes, on any device."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

__all__ = ["JoinedBatchNorm", "join_batchnorm"]


def join_batchnorm(network: nn.Module, device: torch.device) -> nn.Module:
    """Lets every batch normalisation of a network count over all processes.

    On a GPU they become torch's ``SyncBatchNorm``, which needs one; elsewhere :class:`JoinedBatchNorm`. Weights,
    running statistics and the names in the state dict stay what they are.

    Args:
        network: changed in place. It may not be a batch normalisation itself.
        device: where it will run.

    Returns:
        The network.

    Example:
        >>> network = join_batchnorm(nn.Sequential(nn.BatchNorm2d(3)), torch.device("cpu"))
        >>> type(network[0]).__name__
        'JoinedBatchNorm'
    """
    if device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.modules.batchnorm._BatchNorm):
                setattr(parent, name, _joined(child))
    return network


class JoinedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """A batch normalisation whose mean and variance are those of the images of all processes.

    In plain operations, for devices that torch's ``SyncBatchNorm`` does not know, such as the CPU. Outside a group of
    processes, and in evaluation, it is the ordinary one.

    Args:
        num_features: channels.
        eps: added to the variance.
        momentum: share of a batch in the running statistics; None for their plain mean.
        affine: has a weight and a bias.
        track_running_stats: keeps running statistics.

    Example:
        >>> JoinedBatchNorm(3)(torch.randn(2, 3, 4, 4)).shape
        torch.Size([2, 3, 4, 4])
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the normalised map.

        Args:
            x: (B, C, *space).

        Returns:
            The shape of ``x``.
        """
        if not (self.training and dist.is_initialized()):
            return super().forward(x)
        axes = [axis for axis in range(x.dim()) if axis != 1]
        shape = [1, -1, *[1] * (x.dim() - 2)]
        wide = x if x.dtype == torch.float64 else x.float()
        count = torch.tensor(float(x.numel() // x.shape[1]), device=x.device)
        dist.all_reduce(count)
        mean = _sum(wide.sum(axes)) / count
        apart = wide - mean.view(shape)
        variance = _sum(apart.square().sum(axes)) / count
        self._track(mean.detach(), variance.detach() * (count / (count - 1)))
        result = apart * torch.rsqrt(variance + self.eps).view(shape)
        if self.affine:
            result = result * self.weight.view(shape) + self.bias.view(shape)
        return result.to(x.dtype)

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002  the signature is torch's
        if input.dim() < 2:
            raise ValueError(f"expected a batch of maps, (B, C, ...), got {tuple(input.shape)}")

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


class _Sum(torch.autograd.Function):
    """Adds up over all processes: each one's part reaches every result, so gradients add up as well."""

    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_ctx: Any, *grads: Tensor) -> Tensor:
        total = grads[0].clone()
        dist.all_reduce(total)
        return total


def _sum(x: Tensor) -> Tensor:
    return cast(Tensor, _Sum.apply(x))


def _joined(norm: nn.modules.batchnorm._BatchNorm) -> JoinedBatchNorm:
    joined = JoinedBatchNorm(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    joined.weight, joined.bias = norm.weight, norm.bias
    joined.running_mean, joined.running_var = norm.running_mean, norm.running_var
    joined.num_batches_tracked = norm.num_batches_tracked
    return joined.train(norm.training)
