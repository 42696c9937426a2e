"""From a folder of volumes on disk to a checked data list."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from monai_medmamba.data.build import assemble
from monai_medmamba.data.datalist import Datalist
from monai_medmamba.data.entry import Entry
from monai_medmamba.data.exclusion import exclude_named
from monai_medmamba.data.layout import list_entries
from monai_medmamba.data.patient_pattern import add_patients
from monai_medmamba.data.volume_content import digest_volumes
from monai_medmamba.data.volume_patients import number_patients


def build_volume_datalist(
    dataset_dir: str | os.PathLike[str],
    *,
    csv: str | os.PathLike[str] | None = None,
    fractions: tuple[float, float, float] = (0.6, 0.1, 0.3),
    seed: int = 0,
    columns: Mapping[str, str] | None = None,
    path_form: str | None = None,
    split_names: Mapping[str, str] | None = None,
    label_names: Mapping[str, str] | None = None,
    patient_pattern: str | None = None,
    exclude: Sequence[str] = (),
    leave_out_contradictions: bool = False,
    dicom_patients: bool = True,
) -> Datalist:
    """Lists the volumes of a data set by split and checks them before anything is trained.

    Layouts, splits and checks are those of ``build_datalist``. A volume is a NIfTI file, a DICOM file of several
    frames, or a folder that holds a DICOM series at any depth: each file and each folder directly in a class folder
    counts as one. A table's column ``path`` may name folders as well.

    Args:
        dataset_dir: The data set's folder, or its table.
        csv: The table, relative to the working directory or to ``dataset_dir``; None looks for one.
        fractions: Shares of training, validation and test where splits are made; positive, summing to 1.
        seed: Chooses among the possible splits.
        columns: As ``build_datalist`` takes it; so are the following.
        path_form: How the table's value becomes a path.
        split_names: What the table calls the splits.
        label_names: The class name to show for a label.
        patient_pattern: Regular expression that finds the patient in a volume's path.
        exclude: Volumes to leave out, by path or pattern.
        leave_out_contradictions: Whether a volume in two splits or under two labels is left out instead of refused.
        dicom_patients: Whether the PatientID of DICOM files says who a volume shows where nothing else does. The list
            holds a number in its place.

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
    table = {"columns": columns, "path_form": path_form, "split_names": split_names}
    listed = list_entries(dataset_dir, csv, **table, folders_count=True)  # type: ignore[arg-type]
    entries: list[Entry] = exclude_named(listed.entries, exclude)
    if patient_pattern is not None:
        entries = add_patients(entries, patient_pattern)
    if dicom_patients:
        patients = number_patients([listed.root / entry.path for entry in entries])
        entries = [
            e if e.patient is not None else replace(e, patient=p) for e, p in zip(entries, patients, strict=True)
        ]
    names = listed.label_names if label_names is None else label_names
    return assemble(
        listed._replace(entries=entries, label_names=dict(names)),
        fractions,
        seed,
        digest_volumes,
        leave_out_contradictions=leave_out_contradictions,
    )
