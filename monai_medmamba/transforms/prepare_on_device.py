"""How a trainer or evaluator takes a batch: to the device first, then through the transforms that work on batches."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from monai.data import MetaTensor
from monai.utils import CommonKeys


class PrepareOnDevice:
    """A ``prepare_batch`` of MONAI's engines that moves a batch to the device and transforms it there.

    What crosses to the GPU is then bytes and not floats, and the work for each image is done for all at once.

    Args:
        transform: Takes and returns a dictionary with ``image``, a plain tensor (B, C, H, W); a ``Compose`` of
            ``AugmentBatchd`` and ``NormalizeRGBd``, for example.
        label_dtype: What labels are turned into, float32 for a loss of several labels; None leaves them as they are.

    Example:
        >>> prepare = PrepareOnDevice(lambda batch: {"image": batch["image"] / 255})
        >>> image, label = prepare({"image": torch.full((2, 3, 4, 4), 255), "label": torch.tensor([0, 1])}, "cpu")
        >>> image.max().item(), label.tolist()
        (1.0, [0, 1])
    """

    def __init__(
        self, transform: Callable[[dict[str, Any]], Mapping[str, Any]], label_dtype: torch.dtype | None = None
    ) -> None:
        self.transform, self.label_dtype = transform, label_dtype

    @torch.no_grad()
    def __call__(
        self,
        batchdata: Mapping[str, Any],
        device: str | torch.device | None = None,
        non_blocking: bool = False,
        **kwargs: Any,  # the signature is MONAI's
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Prepares one batch.

        Args:
            batchdata: ``image`` and, where it is known, ``label``.
            device: To move them to.
            non_blocking: Whether the host may go on before a copy from pinned memory has ended.
            kwargs: Further arguments of ``Tensor.to`` for the image as it comes out of the transforms.

        Returns:
            The image and the label, None if there is none.
        """
        image = batchdata[CommonKeys.IMAGE]
        if isinstance(image, MetaTensor):
            image = image.as_tensor()  # every operation on a MetaTensor costs time of the host
        moved: dict[str, Any] = {CommonKeys.IMAGE: image.to(device, non_blocking=non_blocking)}
        image = self.transform(moved)[CommonKeys.IMAGE]
        label = batchdata.get(CommonKeys.LABEL)
        if label is not None:
            label = label.to(device, self.label_dtype, non_blocking=non_blocking)
        return image.to(**kwargs) if kwargs else image, label
