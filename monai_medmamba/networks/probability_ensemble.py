"""Several networks, or several views of an image, that answer as one."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["ProbabilityEnsemble"]


class ProbabilityEnsemble(nn.Module):
    """Averages the probabilities of networks of one shape, and of mirror images of what they are shown.

    Each member's logits are divided by its own temperature first. The mean comes back as logits, of temperature 1, so
    that whatever follows a network can follow an ensemble.

    Args:
        network: whose shape the members have; they are copies of it until their weights are loaded.
        count: members, at least 1.
        flips: the views: for each, the spatial axes that are flipped, from 0; an empty one is the image itself.
        several_labels: whether each logit is a question of its own (sigmoid), not one of all (softmax).

    Raises:
        ValueError: there is no member or no view.

    Example:
        >>> ensemble = ProbabilityEnsemble(nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), count=2, flips=[[], [1]])
        >>> ensemble(torch.rand(5, 1, 2, 2)).softmax(1).sum(1).round(decimals=4).tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0]
    """

    temperatures: Tensor

    def __init__(
        self,
        network: nn.Module,
        count: int = 1,
        flips: Sequence[Sequence[int]] = ((),),
        several_labels: bool = False,
    ) -> None:
        super().__init__()
        if count < 1 or not flips:
            raise ValueError(f"expected a member and a view or more, got {count} members and {len(flips)} views")
        self.members = nn.ModuleList(copy.deepcopy(network) for _ in range(count))
        self.flips, self.several_labels = [list(axes) for axes in flips], several_labels
        self.register_buffer("temperatures", torch.ones(count))

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits of the mean probability.

        Args:
            x: images (B, C, H, W) or volumes (B, C, H, W, Z).

        Returns:
            Logits (B, classes), float32, whose softmax, or sigmoid where labels are several, is the mean probability.
        """
        views = [x.flip([axis + 2 for axis in axes]) if axes else x for axes in self.flips]
        logits = torch.stack(
            [
                member(view).float() / temperature
                for member, temperature in zip(self.members, self.temperatures, strict=True)
                for view in views
            ]
        )
        if self.several_labels:
            # log(mean p / mean (1 - p)); both sums in logarithms, so that sure members stay finite
            present, absent = nn.functional.logsigmoid(logits), nn.functional.logsigmoid(-logits)
            return present.logsumexp(dim=0) - absent.logsumexp(dim=0)
        return logits.log_softmax(dim=-1).logsumexp(dim=0)  # log of the sum; softmax divides it
