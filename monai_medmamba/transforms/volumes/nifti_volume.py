"""Reads NIfTI files as volumes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from monai_medmamba.transforms.decode_rgb import ImageReadError
from monai_medmamba.transforms.dicom_values import in_one_line
from monai_medmamba.transforms.volumes.volume import MAX_VOXELS, Volume, check_nibabel, check_values, to_ras


def read_nifti_volume(path: str | os.PathLike[str]) -> Volume:
    """Reads a NIfTI file of one volume. Needs nibabel.

    Args:
        path: The file, ``.nii`` or ``.nii.gz``, NIfTI 1 or 2.

    Returns:
        The volume, turned to right, front and head; values scaled as the header says.

    Raises:
        ImageReadError: The file is missing, damaged, no NIfTI; holds several volumes, colours, complex numbers, more
            than 268 million voxels or values that are not finite; or does not say how it lies in space.

    Example:
        >>> import nibabel, tempfile
        >>> path = tempfile.mkdtemp() + "/left.nii.gz"
        >>> nibabel.save(nibabel.Nifti1Image(np.zeros((2, 3, 4), np.int16), np.diag([-1.0, 1, 2, 1])), path)
        >>> read_nifti_volume(path).affine.diagonal().tolist()
        [1.0, 1.0, 2.0, 1.0]
    """
    check_nibabel(path)
    try:
        values, affine = _load(path)
    except ImageReadError:
        raise
    except Exception as error:  # nibabel raises a different class for each kind of damage
        if isinstance(error, FileNotFoundError):
            raise ImageReadError(path, "there is no such file", "Check the path") from error
        if isinstance(error, OSError) and error.strerror:
            raise ImageReadError(path, error.strerror, "Check the path and its permissions") from error
        found = f"it is damaged, or no NIfTI file ({in_one_line(error)})"
        raise ImageReadError(path, found, "Copy it again, or convert it to NIfTI") from error
    check_values(path, values)
    return to_ras(Volume(values, affine))


def _load(path: str | os.PathLike[str]) -> tuple[np.ndarray, np.ndarray]:
    import nibabel

    image: Any = nibabel.load(path)
    if not isinstance(image, nibabel.Nifti1Image):  # NIfTI 2 is one as well
        raise ImageReadError(path, f"it is a {type(image).__name__}, expected NIfTI", "Convert it to NIfTI")
    shape = tuple(image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3:
        cure = "Save the volume you mean to a file of its own"
        raise ImageReadError(path, f"it has the shape {shape}, expected one volume of three axes", cure)
    if not 0 < np.prod(shape, dtype=np.int64) <= MAX_VOXELS:
        cure = "Crop it, or resample it to larger voxels"
        raise ImageReadError(path, f"it has the shape {shape}, expected 1 to {MAX_VOXELS} voxels", cure)
    dtype = image.get_data_dtype()
    if dtype.names is not None or dtype.kind == "c":
        raise ImageReadError(path, f"it holds {dtype}, expected grey values", "Convert it to grey values")
    if not (int(image.header["sform_code"]) or int(image.header["qform_code"])):
        cure = "Set it (nibabel: image.set_sform(affine, code=1)), once you know which side is which"
        raise ImageReadError(path, "its header does not say how it lies in space (sform and qform code 0)", cure)
    affine = np.asarray(image.affine, dtype=np.float64)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        cure = "Correct the header's sform"
        raise ImageReadError(path, "its affine has no inverse: an axis has no length", cure)
    return image.get_fdata(dtype=np.float32, caching="unchanged").reshape(shape), affine
