"""Federated averaging: one network from those that hospitals have trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

__all__ = ["federated_average"]


def federated_average(sent: Sequence[tuple[Mapping[str, torch.Tensor], int]]) -> dict[str, torch.Tensor]:
    """Averages weights, each hospital counting by its images.

    Source: McMahan et al., Communication-Efficient Learning of Deep Networks from Decentralized Data
    (arXiv:1602.05629), algorithm 1. The running means and variances of batch normalisation are averaged like any other
    weight; whole numbers, such as how many batches were counted, take the largest.

    Args:
        sent: the weights of each hospital, a state dict, and the number of its training images.

    Returns:
        The average by name, in the dtypes that came.

    Raises:
        ValueError: there is none, a number of images is below 1, or names or shapes differ.

    Example:
        >>> one, three = {"w": torch.zeros(2)}, {"w": torch.ones(2)}
        >>> federated_average([(one, 100), (three, 300)])["w"].tolist()
        [0.75, 0.75]
    """
    if not sent or min(images for _, images in sent) < 1:
        raise ValueError(
            f"expected weights of one hospital or more, of at least 1 image each, got {[n for _, n in sent]}"
        )
    first = {name: tensor.shape for name, tensor in sent[0][0].items()}
    for place, (weights, _) in enumerate(sent):
        if {name: tensor.shape for name, tensor in weights.items()} != first:
            raise ValueError(
                f"expected the same names and shapes of every hospital, number {place + 1} differs from the first"
            )
    total = sum(images for _, images in sent)
    average = {}
    for name in first:
        tensors = [(weights[name].detach().cpu(), images) for weights, images in sent]
        dtype = tensors[0][0].dtype
        if dtype.is_floating_point:
            weighed = torch.stack([tensor.double() * (images / total) for tensor, images in tensors])
            average[name] = weighed.sum(dim=0).to(dtype)
        else:
            average[name] = torch.stack([tensor for tensor, _ in tensors]).amax(dim=0)
    return average
