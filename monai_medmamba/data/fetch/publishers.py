"""Which sets can be had, from whom, and under which licence."""

import json
import urllib.request
from dataclasses import dataclass

ZENODO = "https://zenodo.org/api/records"
MEDMNIST_RECORD = "10519652"  # MedMNIST+ : every set at 28, 64, 128 and 224 pixels
MEDMNIST_2D = (
    *("bloodmnist", "breastmnist", "chestmnist", "dermamnist", "octmnist", "organamnist", "organcmnist"),
    *("organsmnist", "pathmnist", "pneumoniamnist", "retinamnist", "tissuemnist"),
)
MENDELEY = "https://prod-dcd-datasets-cache-zipfiles.s3.eu-west-1.amazonaws.com"


@dataclass(frozen=True)
class PublicSet:
    """A data set and where its publisher has it.

    Args:
        name: What a user writes.
        title: Its own name, with the number of images and classes.
        page: Of the publisher: description and licence.
        licence: In one line, as far as it is known here; the page decides.
        file: Name of the file to download; a ``.zip`` is unpacked.
        url: Of the file; empty where ``record`` says it.
        record: Of Zenodo, which also publishes size and checksum.

    Example:
        >>> find_set("kvasir").file
        'kvasir-dataset.zip'
    """

    name: str
    title: str
    page: str
    licence: str
    file: str
    url: str = ""
    record: str = ""


@dataclass(frozen=True)
class Source:
    """Where to get a file and how to know it: size and MD5 as published, None where they are not."""

    url: str
    size: int | None = None
    md5: str | None = None


SETS = (
    PublicSet(
        "kvasir",
        "Kvasir v1: 4,000 endoscopy images, 8 classes",
        "https://datasets.simula.no/kvasir/",
        "research and education only; other use needs the publisher's consent",
        "kvasir-dataset.zip",
        url="https://datasets.simula.no/downloads/kvasir/kvasir-dataset.zip",
    ),
    PublicSet(
        "fetal",
        "Fetal-Planes-DB: 12,400 ultrasound images, 6 classes, with patients and an official split",
        "https://zenodo.org/records/3904280",
        "Creative Commons Attribution 4.0",
        "FETAL_PLANES_ZENODO.zip",
        record="3904280",
    ),
    PublicSet(
        "cpn",
        "CPN X-ray: 5,228 chest radiographs, 3 classes",
        "https://data.mendeley.com/datasets/dvntn9yhd2/1",
        "as the publisher's page states it",
        "dvntn9yhd2-1.zip",
        url=f"{MENDELEY}/dvntn9yhd2-1.zip",
    ),
    PublicSet(
        "pad",
        "PAD-UFES-20: 2,298 photographs of skin lesions, 6 classes, with patients",
        "https://data.mendeley.com/datasets/zr7vgbcyr2/1",
        "as the publisher's page states it",
        "zr7vgbcyr2-1.zip",
        url=f"{MENDELEY}/zr7vgbcyr2-1.zip",
    ),
)


def list_sets() -> list[PublicSet]:
    """Returns every set that can be fetched; those of MedMNIST at 224 pixels.

    Returns:
        The sets. ``find_set`` takes names with other sizes of MedMNIST as well.

    Example:
        >>> [entry.name for entry in list_sets()][:2]
        ['kvasir', 'fetal']
    """
    return [*SETS, *(_medmnist(name, 224) for name in MEDMNIST_2D)]


def find_set(name: str) -> PublicSet:
    """Returns the set of a name.

    Args:
        name: As in ``list_sets``, or one of MedMNIST with a size of 28, 64, 128 or 224: ``breastmnist_64``.

    Returns:
        The set.

    Raises:
        ValueError: There is none of this name; the message lists those that are.

    Example:
        >>> find_set("breastmnist_28").file
        'breastmnist.npz'
    """
    for known in SETS:
        if known.name == name:
            return known
    base, _, size = name.partition("_")
    if base in MEDMNIST_2D and size in ("", "28", "64", "128", "224"):
        return _medmnist(base, int(size or 224))
    names = ", ".join([known.name for known in SETS] + [f"{known}[_28|_64|_128|_224]" for known in MEDMNIST_2D])
    raise ValueError(f"expected the name of a public set, one of {names}; got {name}")


def locate(wanted: PublicSet, zenodo: str = ZENODO) -> Source:
    """Returns where a set's file is, with the size and checksum that Zenodo publishes.

    Raises:
        ValueError: The record does not list the file.
        OSError: Zenodo does not answer.
    """
    if not wanted.record:
        return Source(wanted.url)
    with urllib.request.urlopen(f"{zenodo}/{wanted.record}", timeout=60) as answer:
        files = {entry["key"]: entry for entry in json.load(answer)["files"]}
    if wanted.file not in files:
        raise ValueError(f"{wanted.page}: expected {wanted.file} in the record, got {', '.join(sorted(files))}")
    entry = files[wanted.file]
    kind, _, digest = entry["checksum"].partition(":")
    return Source(entry["links"]["self"], entry["size"], digest if kind == "md5" else None)


def _medmnist(base: str, size: int) -> PublicSet:
    terms = (
        "Creative Commons Attribution 4.0" if base != "dermamnist" else "Creative Commons Attribution-NonCommercial 4.0"
    )
    file = f"{base}.npz" if size == 28 else f"{base}_{size}.npz"
    page = f"https://zenodo.org/records/{MEDMNIST_RECORD}"
    return PublicSet(
        f"{base}_{size}", f"{base} of MedMNIST at {size} pixels", page, terms, file, record=MEDMNIST_RECORD
    )
