"""MedMNIST's ``.npz`` files: measured by their headers, read as a stream, never unpickled and never loaded whole."""

import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.picture_formats import MAX_PIXELS

ARRAY_SUFFIX = ".npz"
SPLITS = {"train": "training", "val": "validation", "test": "test"}
COLOURS = (1, 3)
MAX_LABELS = 10_000_000
MAX_RATIO, RATIO_MATTERS_FROM = 500, 2**30
"""A member that unpacks to more than 1 GiB, and to 500 times its size, is taken for a decompression bomb."""


class Header(NamedTuple):
    """What the beginning of an array's file says: its shape, and the type of its values."""

    shape: tuple[int, ...]
    dtype: np.dtype


class Part(NamedTuple):
    """One split of a file.

    Args:
        array: Name of its array of images.
        split: Our name of the split.
        shape: Shape of the array, images first.
        dtype: Type of its values.
        labels: The labels, one row of whole numbers an image; None where the file has none.
    """

    array: str
    split: str
    shape: tuple[int, ...]
    dtype: np.dtype
    labels: np.ndarray | None


def read_parts(path: Path) -> tuple[list[Part], list[str]]:
    """Reads what a file with the arrays ``train_images``, ``train_labels``, ``val_images`` and so on holds.

    Args:
        path: The file, as the MedMNIST project publishes them.

    Returns:
        The splits that it has, and the names of its other members.

    Raises:
        DatasetError: The file is no such archive, holds Python objects, contradicts itself, or is a decompression
            bomb.
    """
    parts = []
    with _open(path) as archive:
        members = set(archive.namelist())
        for short, split in SPLITS.items():
            if f"{short}_images.npy" not in members:
                continue
            shape, dtype = read_header(archive, path, f"{short}_images.npy")
            if len(shape) not in (3, 4, 5) or math.prod(shape[1:]) not in range(1, MAX_PIXELS + 1):
                cure = f"Store at most {MAX_PIXELS} values an image, in the form of MedMNIST"
                raise _refuse(path, f"{short}_images of shape {shape}", cure)
            labels = _labels(archive, path, short, shape[0]) if f"{short}_labels.npy" in members else None
            parts.append(Part(f"{short}_images", split, shape, dtype, labels))
    if not any(part.shape[0] for part in parts):
        raise _refuse(path, f"{', '.join(sorted(members)) or 'nothing'}", "Name a file in the form of MedMNIST")
    return parts, sorted(members - {f"{short}_{what}.npy" for short in SPLITS for what in ("images", "labels")})


def stream_images(path: Path, wanted: set[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the images of a file one after another, each under the path of its item.

    Args:
        path: The file.
        wanted: The items to yield; what lies between them is passed over, what lies behind them not read.

    Yields:
        The item's path and the values: (H, W), (H, W, 3) or, for volumes, (D, H, W) or (D, H, W, 3).

    Raises:
        DatasetError: As ``read_parts``; or the file ends early or fails its checksum.
    """
    with _open(path) as archive:
        for short in SPLITS:
            name = f"{short}_images.npy"
            begin = f"{path.name}#{short}_images/"
            places = [int(item.removeprefix(begin)) for item in wanted if item.startswith(begin)]
            if not places:
                continue
            header = read_header(archive, path, name)
            size = math.prod(header.shape[1:]) * header.dtype.itemsize
            try:
                with archive.open(name) as stream:
                    _skip_header(stream)
                    for place in range(max(places) + 1):
                        content = stream.read(size)
                        if len(content) < size:
                            raise _refuse(path, f"{name} ends at image {place}", "Download it again")
                        if f"{begin}{place}" in wanted:
                            yield f"{begin}{place}", _image(np.frombuffer(content, header.dtype), header.shape[1:])
            except (zipfile.BadZipFile, OSError, EOFError, zlib.error) as error:
                raise _refuse(path, f"{name} is damaged ({error})", "Download it again") from error


def read_header(archive: zipfile.ZipFile, path: Path, name: str) -> Header:
    """Returns what an array's header says, once it agrees with the size of the member that holds it.

    Raises:
        DatasetError: The header is damaged, tells of Python objects, or contradicts the archive.
    """
    info = archive.getinfo(name)
    if info.flag_bits & 1:
        raise _refuse(path, f"{name} is encrypted", "Decrypt it")
    if info.file_size > RATIO_MATTERS_FROM and info.file_size > MAX_RATIO * max(1, info.compress_size):
        raise _refuse(path, f"{name} unpacks to {info.file_size} bytes, a decompression bomb", "Do not use it")
    try:
        with archive.open(name) as stream:
            shape, in_columns, dtype, length = _skip_header(stream)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise _refuse(path, f"{name} is damaged ({error})", "Download it again") from error
    if dtype.hasobject:
        raise _refuse(path, f"{name} holds Python objects, which can run code and are never loaded", "Do not use it")
    if dtype.kind not in "buif" or (in_columns and len(shape) > 1):
        raise _refuse(path, f"{name} holds {dtype} in {'columns' if in_columns else 'rows'}", "Store rows of numbers")
    if length + math.prod(shape) * dtype.itemsize != info.file_size:
        raise _refuse(path, f"{name} says {shape} of {dtype} in {info.file_size} bytes", "Download it again")
    return Header(shape, dtype)


def _skip_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Reads past an array's header; returns shape, whether columns come first, type, and length in bytes."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, in_columns, dtype = read(stream)
    return shape, in_columns, dtype, stream.tell()


def _labels(archive: zipfile.ZipFile, path: Path, short: str, images: int) -> np.ndarray:
    """Returns the labels of a split, (N, number of columns)."""
    name = f"{short}_labels.npy"
    header = read_header(archive, path, name)
    if header.dtype.kind == "f" or header.shape[:1] != (images,) or math.prod(header.shape) > MAX_LABELS:
        cure = "Give one row of whole numbers an image"
        raise _refuse(path, f"{name} of {header.dtype} and shape {header.shape} beside {images} images", cure)
    try:
        with archive.open(name) as stream:
            _skip_header(stream)
            return np.frombuffer(stream.read(), header.dtype).reshape(images, -1)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
        raise _refuse(path, f"{name} is damaged ({error})", "Download it again") from error


def _image(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    values = values.reshape(shape)
    return values[..., 0] if values.ndim > 2 and shape[-1] == COLOURS[0] else values


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise _refuse(path, str(error), "Check its permissions, or download it again") from error


def _refuse(path: Path, found: str, cure: str) -> DatasetError:
    return DatasetError(f"arrays of images and labels, as MedMNIST stores them, in {path}", found, cure)
