"""Images and labels as files: what MONAI Label calls a datastore. The files are the state; there is no index to spoil.

studies/a.png                 an image, whose id is its file name
studies/labels/final/a.png.json    what readers said of it
studies/labels/original/...   what the model said in a batch inference
"""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import os
import re
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monailabel.interfaces.datastore import Datastore

from ..files import atomic_path
from ..picture_formats import SUFFIXES
from ..transforms import is_dicom
from .image_label import Classes, ImageLabel, read_label
from .request_error import RequestError

__all__ = ["FINAL", "ORIGINAL", "ImageStore"]

FINAL, ORIGINAL = "final", "original"
_NAME = re.compile(r"\w[\w .,+()@=-]{0,198}\w|\w")  # of an image that is uploaded; no separators, no leading dot
_INFO = "info"


class ImageStore(Datastore):
    """The images in the top level of a folder, and their labels in ``labels`` below it.

    Args:
        folder: Of the studies; is made if it is missing.

    Example:
        >>> store = ImageStore(tempfile.mkdtemp())
        >>> store.list_images()
        []
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()

    # -- images

    def list_images(self) -> list[str]:
        """Returns the ids of all images, sorted."""
        with os.scandir(self.folder) as entries:
            return sorted(entry.name for entry in entries if _is_image(Path(entry.path)))

    def get_image_uri(self, image_id: str) -> str:
        """Returns the path of an image.

        Raises:
            RequestError: There is no image of this id.
        """
        path = self.folder / image_id
        if not self._is_known(image_id):
            raise RequestError(404, f"there is no image {image_id!r} in the studies")
        return os.fspath(path)

    def get_image(self, image_id: str, params: Any = None) -> io.BytesIO:
        """Returns the bytes of an image."""
        del params
        return io.BytesIO(Path(self.get_image_uri(image_id)).read_bytes())

    def get_image_info(self, image_id: str) -> dict[str, Any]:
        """Returns what is known of an image: ``path`` and what clients have noted."""
        path = self.get_image_uri(image_id)
        with contextlib.suppress(OSError, ValueError):
            return {**json.loads(self._label_path(image_id, _INFO).read_text(encoding="utf-8")), "path": path}
        return {"path": path}

    def update_image_info(self, image_id: str, info: dict[str, Any]) -> None:
        """Notes something with an image."""
        with self._lock:
            _write(self._label_path(image_id, _INFO), {**self.get_image_info(image_id), **info})

    def add_image(self, image_id: str, image_filename: str, image_info: dict[str, Any]) -> str:
        """Takes in an image.

        Args:
            image_id: Its name; the suffix of the file is added if it has none.
            image_filename: The file.
            image_info: Is noted with it.

        Returns:
            Its id.

        Raises:
            RequestError: The name is no plain file name of a picture, or there is such an image already.
        """
        suffix = Path(image_filename).suffix
        name = image_id or Path(image_filename).name
        if Path(name).suffix.lower() not in (*SUFFIXES, ".dcm"):
            name += suffix
        if not _NAME.fullmatch(name) or Path(name).suffix.lower() not in (*SUFFIXES, ".dcm"):
            raise RequestError(
                422, f"expected a plain name that ends in {', '.join(SUFFIXES)} or .dcm for the image, got {name!r}"
            )
        with self._lock:
            if (self.folder / name).exists():
                raise RequestError(409, f"there is an image {name!r} already; remove it first or use another name")
            with atomic_path(self.folder / name) as temporary:
                shutil.copyfile(image_filename, temporary)
            if image_info:
                self.update_image_info(name, image_info)
        return name

    def remove_image(self, image_id: str) -> None:
        """Removes an image and its labels."""
        path = Path(self.get_image_uri(image_id))
        with self._lock:
            for tag in self._tags():
                self._label_path(image_id, tag).unlink(missing_ok=True)
            path.unlink()

    # -- labels

    def store_labels(self, image_id: str, labels: Sequence[ImageLabel], tag: str = FINAL, **noted: Any) -> None:
        """Keeps labels of an image; those for other models stay.

        A file of another form, such as a malformed one or one written by hand, is kept beside under another name.

        Args:
            image_id: The image.
            labels: A label for each model that is spoken of.
            tag: ``"final"`` for readers, ``"original"`` for a model.
            **noted: JSON-able values to keep with them, such as ``user``.

        Raises:
            RequestError: There is no such image or tag.
        """
        self.get_image_uri(image_id)
        path = self._label_path(image_id, tag)
        time = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        with self._lock:
            models: dict[str, Any] = {}
            try:
                models = dict(json.loads(path.read_text(encoding="utf-8"))["models"])
            except FileNotFoundError:
                pass
            except (OSError, ValueError, TypeError, KeyError):
                path.rename(path.with_name(f"{path.name}.replaced-{re.sub('[^0-9]', '', time)}"))
            for label in labels:
                models[label.model] = {"labels": list(label.classes), "time": time, **noted}
            _write(path, {"image": image_id, "models": models})

    def labels_of(self, model: Classes, tag: str = FINAL) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
        """Returns the labels for a model, and what is wrong with others.

        Args:
            model: For whose classes.
            tag: Of the labels.

        Returns:
            Classes by image id; and by image id the reason why a label cannot be used. Labels that speak of other
            models alone are in neither.
        """
        found, malformed = {}, {}
        for image_id in self.list_images():
            path = self._label_path(image_id, tag)
            try:
                text = path.read_text(encoding="utf-8")
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                malformed[image_id] = str(error)
                continue
            try:
                content = json.loads(text)
                if isinstance(content, dict) and isinstance(content.get("models"), dict):
                    if model.name not in content["models"]:
                        continue
                    text = json.dumps({"models": {model.name: content["models"][model.name]}})
                elif isinstance(content, dict) and content.get("model", model.name) != model.name:
                    continue
                found[image_id] = read_label(text, [model])[0].classes
            except ValueError as error:
                malformed[image_id] = str(error)
        return found, malformed

    def save_label(self, image_id: str, label_filename: str, label_tag: str, label_info: dict[str, Any]) -> str:
        """Refuses: labels are checked before they are kept, by ``store_labels``."""
        del label_filename, label_tag, label_info
        raise RequestError(422, f"{image_id}: labels of classes come through PUT /datastore/label")

    def remove_label(self, label_id: str, label_tag: str) -> None:
        """Removes a label.

        Raises:
            RequestError: There is none.
        """
        Path(self.get_label_uri(label_id, label_tag)).unlink()

    def get_label_uri(self, label_id: str, label_tag: str) -> str:
        """Returns the path of a label.

        Raises:
            RequestError: There is no such image, tag or label.
        """
        self.get_image_uri(label_id)
        path = self._label_path(label_id, label_tag)
        if not path.is_file():
            raise RequestError(404, f"image {label_id!r} has no label with the tag {label_tag!r}")
        return os.fspath(path)

    def get_label(self, label_id: str, label_tag: str, params: Any = None) -> io.BytesIO:
        """Returns the bytes of a label."""
        del params
        return io.BytesIO(Path(self.get_label_uri(label_id, label_tag)).read_bytes())

    def get_label_info(self, label_id: str, label_tag: str) -> dict[str, Any]:
        """Returns the content of a label."""
        path = Path(self.get_label_uri(label_id, label_tag))
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RequestError(422, f"the label of {label_id!r} is malformed: {error}") from error

    def update_label_info(self, label_id: str, label_tag: str, info: dict[str, Any]) -> None:
        """Notes something with a label."""
        with self._lock:
            _write(Path(self.get_label_uri(label_id, label_tag)), {**self.get_label_info(label_id, label_tag), **info})

    def get_labels_by_image_id(self, image_id: str) -> dict[str, str]:
        """Returns the label's id, which is the image's, for each tag that an image has."""
        self.get_image_uri(image_id)
        return {tag: image_id for tag in self._tags() if self._label_path(image_id, tag).is_file()}

    def get_label_by_image_id(self, image_id: str, tag: str) -> str:
        """Returns the label's id; empty where there is none of this tag."""
        return self.get_labels_by_image_id(image_id).get(tag, "")

    def get_labeled_images(self, label_tag: str | None = None, labels: list[str] | None = None) -> list[str]:
        """Returns the ids of images with a label."""
        del labels
        return [x for x in self.list_images() if self._label_path(x, label_tag or FINAL).is_file()]

    def get_unlabeled_images(self, label_tag: str | None = None, labels: list[str] | None = None) -> list[str]:
        """Returns the ids of images without a label."""
        with_label = set(self.get_labeled_images(label_tag, labels))
        return [x for x in self.list_images() if x not in with_label]

    # -- the whole

    def datalist(self) -> list[dict[str, str]]:
        """Returns the paths of images and their labels."""
        pairs = ((self.get_image_uri(x), self._label_path(x, FINAL)) for x in self.get_labeled_images())
        return [{"image": image, "label": os.fspath(label)} for image, label in pairs]

    def get_dataset_archive(self, limit_cases: int | None) -> str:
        """Returns the path of a new ZIP file of labelled images and their labels; the caller removes it.

        Raises:
            RequestError: There is no label.
        """
        pairs = self.datalist()[: limit_cases or None]
        if not pairs:
            raise RequestError(404, "no image has a label yet")
        with tempfile.NamedTemporaryFile(suffix=".zip", delete=False) as file, zipfile.ZipFile(file, "w") as archive:
            for pair in pairs:
                for kind, path in pair.items():
                    archive.write(path, f"{kind}/{Path(path).name}")
        return file.name

    def status(self) -> dict[str, Any]:
        """Returns how many images there are, and how many have a label, in all and by tag."""
        tags = {tag: len(self.get_labeled_images(tag)) for tag in self._tags()}
        return {"total": len(self.list_images()), "completed": tags.get(FINAL, 0), "label_tags": tags}

    def json(self) -> dict[str, Any]:
        """Returns every image with the tags of its labels."""
        return {"objects": {x: {"labels": sorted(self.get_labels_by_image_id(x))} for x in self.list_images()}}

    def name(self) -> str:
        """Returns the folder's name."""
        return self.folder.name

    def description(self) -> str:
        """Returns where the images come from."""
        return os.fspath(self.folder)

    def set_name(self, name: str) -> None:
        """Does nothing: the name is the folder's."""

    def set_description(self, description: str) -> None:
        """Does nothing, as above."""

    def refresh(self) -> None:
        """Does nothing: each call looks at the files."""

    def _is_known(self, image_id: str) -> bool:
        return image_id == os.path.basename(image_id) and _is_image(self.folder / image_id)

    def _tags(self) -> list[str]:
        return [tag for tag in (FINAL, ORIGINAL) if (self.folder / "labels" / tag).is_dir()]

    def _label_path(self, image_id: str, tag: str) -> Path:
        if tag not in (FINAL, ORIGINAL, _INFO):
            raise RequestError(422, f"expected the tag {FINAL} or {ORIGINAL}, got {tag!r}")
        return self.folder / "labels" / tag / f"{image_id}.json"


def _is_image(path: Path) -> bool:
    suffix = path.suffix.lower()
    try:
        if path.name.startswith(".") or suffix not in (*SUFFIXES, ".dcm", "") or not path.is_file():
            return False
        return bool(suffix) or is_dicom(path)
    except (OSError, ValueError):  # ValueError: a name with a null byte
        return False


def _write(path: Path, content: dict[str, Any]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=4, ensure_ascii=False) + "\n", encoding="utf-8")
