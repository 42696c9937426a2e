"""DICOM files for tests: a few pixels, and any tags."""

from pathlib import Path
from typing import Any

import numpy as np

from monai_medmamba.transforms.dicom_library import write_file


def write_dicom(path: Path, pixels: np.ndarray, photometric: str = "MONOCHROME2", **tags: Any) -> Path:
    """Write a classic DICOM file of (H, W) or (H, W, 3) pixels, 8 or 16 bits; ``tags`` replace or add elements."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = tags.pop("TransferSyntaxUID", ExplicitVRLittleEndian)
    dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
    dataset.Modality, dataset.PhotometricInterpretation = "OT", photometric
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 1 if pixels.ndim == 2 else pixels.shape[2]
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    for name, value in tags.items():
        setattr(dataset, name, value)
    write_file(path, dataset)
    return path


def lookup_table(entries: list[int], first: int = 0, bits: int = 16, packed: bool = False) -> Any:
    """Return a sequence with one table, for ModalityLUTSequence and VOILUTSequence; ``packed`` writes it as bytes."""
    from pydicom import DataElement, Dataset, Sequence

    item = Dataset()
    item.add(DataElement("LUTDescriptor", "SS" if first < 0 else "US", [len(entries), first, bits]))
    content = np.array(entries, dtype="<u2").tobytes() if packed else entries
    item.add(DataElement("LUTData", "OW" if packed else "US", content))
    return Sequence([item])
