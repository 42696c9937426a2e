"""The MONAI transforms over ``decode_picture``."""

import os
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor, get_track_meta
from monai.transforms import MapTransform, Transform
from monai.utils import ImageMetaKey, MetaKeys, TransformBackends

from monai_medmamba.transforms.decode_picture import decode_picture


class LoadRGB(Transform):
    """Loads an image file as an RGB tensor: channel first, float32, in [0, 1].

    ``decode_rgb`` states how each pixel format is read, ``decode_dicom`` how DICOM files are. The result's ``meta``
    holds ``filename_or_obj``, ``spatial_shape`` and ``original_channel_dim``.

    Args:
        window: Centre and width for grey DICOM files, in place of what they carry; see ``decode_dicom``.

    Example:
        >>> import pathlib, tempfile
        >>> from PIL import Image
        >>> path = pathlib.Path(tempfile.mkdtemp(), "tall.png")
        >>> Image.new("RGB", (3, 7), "white").save(path)
        >>> tuple(LoadRGB()(path).shape)
        (3, 7, 3)
    """

    backend = [TransformBackends.NUMPY]  # noqa: RUF012  MONAI's own form

    def __init__(self, window: Sequence[float] | None = None) -> None:
        self.window = None if window is None else (window[0], window[1])

    def __call__(self, path: str | os.PathLike[str]) -> torch.Tensor:
        """Reads one file.

        Args:
            path: The file; ``~`` is expanded.

        Returns:
            MetaTensor (3, H, W), float32, in [0, 1]; a plain tensor where MONAI's metadata tracking is off.

        Raises:
            ImageReadError: The file cannot be used; the message names it.
        """
        file = os.path.expanduser(path)
        pixels = torch.from_numpy(decode_picture(file, self.window))
        if not get_track_meta():
            return pixels
        meta = {
            ImageMetaKey.FILENAME_OR_OBJ: file,
            MetaKeys.SPATIAL_SHAPE: torch.tensor(pixels.shape[1:]),
            MetaKeys.ORIGINAL_CHANNEL_DIM: 0,
        }
        return MetaTensor(pixels, meta=meta)  # MONAI's own conversion would put each channel by itself


class LoadRGBd(MapTransform):
    """Dictionary form of ``LoadRGB``: replaces each named path by its picture.

    Args:
        keys: The entries that hold paths, usually ``"image"``.
        allow_missing_keys: Whether an item may lack one of them.
        window: As ``LoadRGB`` takes it.

    Example:
        >>> import pathlib, tempfile
        >>> from PIL import Image
        >>> path = pathlib.Path(tempfile.mkdtemp(), "tall.png")
        >>> Image.new("RGB", (3, 7), "white").save(path)
        >>> tuple(LoadRGBd(keys="image")({"image": path, "label": 1})["image"].shape)
        (3, 7, 3)
    """

    backend = LoadRGB.backend

    def __init__(
        self, keys: KeysCollection, allow_missing_keys: bool = False, window: Sequence[float] | None = None
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.loader = LoadRGB(window)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Returns a copy of ``data`` with pictures, (3, H, W) each, in place of paths."""
        loaded = dict(data)
        for key in self.key_iterator(loaded):
            loaded[key] = self.loader(loaded[key])
        return loaded
