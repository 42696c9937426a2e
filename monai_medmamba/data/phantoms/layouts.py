"""Phantoms in the layout of any published data set."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from monai_medmamba.data.dataset_error import DatasetError
from monai_medmamba.data.phantoms.cache import cache_folder
from monai_medmamba.data.phantoms.cartoons import MOST, draw_cartoon
from monai_medmamba.data.phantoms.kept_set import keep_set
from monai_medmamba.data.phantoms.published_layouts import LAYOUTS, Phantom, medmnist_file

VERSION = 1  # raise it with each change to the pictures or the layouts
FEWEST_IMAGES, FEWEST_PATIENTS = 10, 10


def layout_phantoms(
    class_names: Sequence[str],
    layout: str,
    out: str | os.PathLike[str] | None = None,
    *,
    images_per_class: int = 30,
    size: int = 128,
    patients: int = 20,
    grey: bool = False,
    seed: int = 0,
) -> Path:
    """Gives cartoons of any classes in the layout of a published data set, to try its bundle out.

    A class is a shape with a texture; colour says nothing. The set is drawn once, whole or not at all, and every file
    is checked at each use, as with ``endoscopy_phantoms``. Patients are dealt the classes in turn.

    Args:
        class_names: Two to twenty names; a class folder has its class's name.
        layout: ``class_folders``, ``split_folders``, ``fetal_planes_db``, ``pad_ufes_20``, ``cpn_xray``, ``medmnist``
            or ``busi``.
        out: The data set's folder; None takes one in the user's cache folder.
        images_per_class: Pictures a class, 10 or more.
        size: Side of a picture in pixels, 16 or more.
        patients: How many patients there are, where the layout knows them; 10 or more.
        grey: Whether pictures have brightness alone.
        seed: Equal seeds give equal pixels.

    Returns:
        The folder, absolute; for ``medmnist`` the file in it.

    Raises:
        DatasetError: The layout is unknown, a name cannot name a folder, a number is too small or too large, or ``out``
            holds something else.

    Example:
        >>> import tempfile
        >>> out = tempfile.mkdtemp() + "/set"
        >>> folder = layout_phantoms(["a", "b"], "pad_ufes_20", out, images_per_class=10, size=16)
        >>> sorted(child.name for child in folder.iterdir() if child.name[0] != ".")
        ['imgs_part_1', 'imgs_part_2', 'imgs_part_3', 'metadata.csv']
    """
    if layout not in LAYOUTS:
        raise DatasetError(f"one of the layouts {', '.join(LAYOUTS)}", layout, "Name one of them")
    names = list(class_names)
    odd = [name for name in names if not name or name != name.strip(" .") or set(name) & set('/\\:*?"<>|\0')]
    if odd or not 2 <= len(set(names)) == len(names) <= MOST:
        found = f"{len(names)}: {', '.join(names)}"
        raise DatasetError(f"2 to {MOST} different class names that can name a folder", found, "Correct them", odd)
    if images_per_class < FEWEST_IMAGES or patients < FEWEST_PATIENTS or size < 16 or seed < 0:
        found = f"images_per_class={images_per_class}, patients={patients}, size={size}, seed={seed}"
        expected = f"{FEWEST_IMAGES} images a class, {FEWEST_PATIENTS} patients, 16 pixels or more, and a seed from 0"
        raise DatasetError(expected, found, "Correct them")
    drawn_with = {
        "version": VERSION,
        "layout": layout,
        "class_names": names,
        "images_per_class": images_per_class,
        "size": size,
        "patients": patients,
        "grey": bool(grey),
        "seed": seed,
    }
    if out is None:
        digest = hashlib.sha256(json.dumps(drawn_with).encode()).hexdigest()[:12]
        target = cache_folder() / f"{layout}_phantoms-v{VERSION}-{digest}"
    else:
        target = Path(os.path.abspath(os.path.expanduser(out)))

    def draw(folder: Path) -> None:
        phantoms = [
            Phantom(label, i, (i + k) % patients + 1, draw_cartoon(k, i, size=size, grey=grey, seed=seed))
            for k, label in enumerate(names)
            for i in range(images_per_class)
        ]
        LAYOUTS[layout](folder, phantoms)

    keep_set(target, drawn_with, draw)
    return target / medmnist_file(names) if layout == "medmnist" else target
