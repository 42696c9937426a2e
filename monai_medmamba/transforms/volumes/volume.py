"""A volume with its place in space, and the one orientation that all readers give."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import numpy as np

from monai_medmamba.transforms.decode_rgb import ImageReadError

MAX_VOXELS = 2**28
"""More than this, 1024 slices of 512 x 512, is refused: as float32 it takes a gigabyte."""


@dataclass(frozen=True)
class Volume:
    """Grey values on a grid in space.

    Args:
        values: (X, Y, Z), float32, in the file's unit: Hounsfield units for a CT.
        affine: (4, 4), float64: from a voxel's indices to millimetres towards the patient's right, front and head.
        changes: What was done to the slices so that they lie on a grid, a phrase each.

    Example:
        >>> Volume(np.zeros((4, 3, 2), np.float32), np.diag([1.0, 1, 5, 1])).spacing
        (1.0, 1.0, 5.0)
    """

    values: np.ndarray
    affine: np.ndarray
    changes: tuple[str, ...] = ()

    @property
    def spacing(self) -> tuple[float, ...]:
        """Millimetres between voxels along each axis."""
        return tuple(float(length) for length in np.linalg.norm(self.affine[:3, :3], axis=0))


def to_ras(volume: Volume) -> Volume:
    """Turns the axes so that indices grow towards the patient's right, front and head, as near as axes allow.

    Nothing is resampled: axes are swapped and turned round, and the affine follows. Needs nibabel.

    Args:
        volume: Of any orientation.

    Returns:
        The same voxels at the same places.

    Example:
        >>> flipped = Volume(np.arange(4, dtype=np.float32).reshape(4, 1, 1), np.diag([-1.0, 1, 1, 1]))
        >>> to_ras(flipped).values.ravel().tolist(), to_ras(flipped).affine[0].tolist()
        ([3.0, 2.0, 1.0, 0.0], [1.0, 0.0, 0.0, -3.0])
    """
    from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation

    turns = io_orientation(volume.affine)
    affine = volume.affine @ inv_ornt_aff(turns, volume.values.shape)
    affine = np.where(affine == 0, 0.0, affine)  # no minus zeros
    return replace(volume, values=np.ascontiguousarray(apply_orientation(volume.values, turns)), affine=affine)


def check_values(path: str | os.PathLike[str], values: np.ndarray) -> None:
    """Refuses values that are no finite numbers.

    Raises:
        ImageReadError: There are some; the message counts them.
    """
    bad = values.size - int(np.count_nonzero(np.isfinite(values)))
    if bad:
        cure = "Replace them, such as by air or 0, and save it again"
        raise ImageReadError(path, f"{bad} of {values.size} voxels are NaN or infinite", cure)


def check_nibabel(path: str | os.PathLike[str]) -> None:
    """Refuses to go on without nibabel.

    Raises:
        ImageReadError: It is not installed.
    """
    try:
        import nibabel  # noqa: F401
    except ImportError as error:
        cure = 'Install it: pip install "nibabel>=5.3"'
        raise ImageReadError(path, "volumes are turned by nibabel, which is not installed", cure) from error
