"""From a folder of volumes on disk to a checked data list."""

import os

from monai_medmamba.data.build import assemble
from monai_medmamba.data.datalist import Datalist
from monai_medmamba.data.layout import list_entries
from monai_medmamba.data.volume_content import digest_volumes


def build_volume_datalist(
    dataset_dir: str | os.PathLike[str],
    *,
    csv: str | os.PathLike[str] | None = None,
    fractions: tuple[float, float, float] = (0.6, 0.1, 0.3),
    seed: int = 0,
) -> Datalist:
    """Lists the volumes of a data set by split and checks them before anything is trained.

    Layouts, splits and checks are those of ``build_datalist``. A volume is a NIfTI file, a DICOM file of several
    frames, or a folder that holds a DICOM series at any depth: each file and each folder directly in a class folder
    counts as one. A table's column ``path`` may name folders as well.

    Args:
        dataset_dir: The data set's folder.
        csv: The table, relative to the working directory or to ``dataset_dir``; None looks for one.
        fractions: Shares of training, validation and test where splits are made; positive, summing to 1.
        seed: Chooses among the possible splits.

    Returns:
        The data list, with absolute paths.

    Raises:
        DatasetError: As for ``build_datalist``; or an entry is no volume.

    Example:
        >>> import tempfile
        >>> from monai_medmamba.data import chest_phantoms
        >>> folder = chest_phantoms(tempfile.mkdtemp() + "/set", volumes_per_class=5, size=16)
        >>> build_volume_datalist(folder).counts()["training"]
        {'benign': 3, 'malignant': 3}
    """
    return assemble(list_entries(dataset_dir, csv, folders_count=True), fractions, seed, digest_volumes)
