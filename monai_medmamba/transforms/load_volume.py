"""The MONAI transforms over the readers of volumes."""

import os
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform
from monai.utils import ImageMetaKey, MetaKeys, SpaceKeys, TransformBackends

from monai_medmamba.transforms.decode_rgb import ImageReadError
from monai_medmamba.transforms.dicom_pixels import is_dicom
from monai_medmamba.transforms.volumes import Volume, read_dicom_volume, read_nifti_volume

NIFTI = (".nii", ".nii.gz")


class LoadVolume(Transform):
    """Loads a volume from a folder with a DICOM series, a multi-frame DICOM file, or a NIfTI file.

    All give the same: one channel, axes towards the patient's right, front and head (RAS, as near as they come without
    resampling), values in their unit (Hounsfield units for a CT), and an affine in millimetres. ``meta`` holds
    ``filename_or_obj``, ``affine``, ``original_affine``, ``spatial_shape``, ``space``, ``original_channel_dim`` and
    ``changes``: what was done to slices that did not lie on a grid, "" where nothing was.

    Args:
        series: Which DICOM series of a folder that holds several: its SeriesInstanceUID, ``"largest"``, or None for
            the only one that can be meant; see ``read_dicom_volume``.
        missing: ``"refuse"`` a DICOM series with missing slices, or ``"interpolate"`` them.

    Example:
        >>> import nibabel, numpy, tempfile
        >>> path = tempfile.mkdtemp() + "/head.nii"
        >>> nibabel.save(nibabel.Nifti1Image(numpy.zeros((4, 5, 6), "int16"), numpy.diag([-2.0, 2, 3, 1])), path)
        >>> volume = LoadVolume()(path)
        >>> tuple(volume.shape), volume.pixdim.tolist()
        ((1, 4, 5, 6), [2.0, 2.0, 3.0])
    """

    backend = [TransformBackends.NUMPY]  # noqa: RUF012  MONAI's own form

    def __init__(self, series: str | None = None, missing: str = "refuse") -> None:
        self.series, self.missing = series, missing

    def __call__(self, path: str | os.PathLike[str]) -> torch.Tensor:
        """Reads one volume.

        Args:
            path: The folder or file; ``~`` is expanded.

        Returns:
            MetaTensor (1, X, Y, Z), float32; a plain tensor where MONAI's metadata tracking is off.

        Raises:
            ImageReadError: It is no volume, or not clear which; the message names the file and the cure.
        """
        file = os.path.expanduser(path)
        volume = self._read(file)
        values = torch.from_numpy(volume.values[None])
        affine = torch.from_numpy(volume.affine)
        meta = {
            ImageMetaKey.FILENAME_OR_OBJ: os.fspath(file),
            MetaKeys.AFFINE: affine,
            MetaKeys.ORIGINAL_AFFINE: affine.clone(),
            MetaKeys.SPATIAL_SHAPE: torch.tensor(volume.values.shape),
            MetaKeys.SPACE: SpaceKeys.RAS.value,
            MetaKeys.ORIGINAL_CHANNEL_DIM: 0,
            "changes": "; ".join(volume.changes),
        }
        return MetaTensor.ensure_torch_and_prune_meta(values, meta)

    def _read(self, file: str) -> Volume:
        if file.lower().endswith(NIFTI) and not os.path.isdir(file):
            return read_nifti_volume(file)
        if os.path.isfile(file) and not _starts_as_dicom(file):
            cure = "Give a folder with a DICOM series, a multi-frame DICOM file, or a .nii or .nii.gz file"
            raise ImageReadError(file, f"{Path(file).suffix or 'this'} is no file of a volume", cure)
        return read_dicom_volume(file, self.series, self.missing)


class LoadVolumed(MapTransform):
    """Dictionary form of ``LoadVolume``: replaces each named path by its volume.

    Args:
        keys: The entries that hold paths, usually ``"image"``.
        series: As ``LoadVolume`` takes it.
        missing: As ``LoadVolume`` takes it.
        allow_missing_keys: Whether an item may lack one of the keys.

    Example:
        >>> import nibabel, numpy, tempfile
        >>> path = tempfile.mkdtemp() + "/head.nii"
        >>> nibabel.save(nibabel.Nifti1Image(numpy.zeros((4, 5, 6), "int16"), numpy.eye(4)), path)
        >>> tuple(LoadVolumed(keys="image")({"image": path, "label": 1})["image"].shape)
        (1, 4, 5, 6)
    """

    backend = LoadVolume.backend

    def __init__(
        self,
        keys: KeysCollection,
        series: str | None = None,
        missing: str = "refuse",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.loader = LoadVolume(series, missing)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Returns a copy of ``data`` with volumes, (1, X, Y, Z) each, in place of paths."""
        loaded = dict(data)
        for key in self.key_iterator(loaded):
            loaded[key] = self.loader(loaded[key])
        return loaded


def _starts_as_dicom(file: str) -> bool:
    try:
        return is_dicom(file)
    except OSError as error:
        raise ImageReadError(file, error.strerror or str(error), "Check the path and its permissions") from error
