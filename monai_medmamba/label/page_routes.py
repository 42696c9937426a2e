"""What the reading page asks for, below ``/medmamba/api``."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, Body, Response

from ..discretion import discreet
from ..transforms import decode_picture, is_dicom
from ..transforms.dicom_values import modality_values, stored_range
from .active_learning import MEASURES, reading_order
from .app import checked_window
from .heat_picture import heat_png
from .image_label import read_label
from .monai_label_routes import _ANNOTATOR, _USER
from .train_task import read_record

if TYPE_CHECKING:
    from .app import MedMambaLabelApp

__all__ = ["page_routes"]

_LONGEST_SIDE = 2048  # of a picture on the page


def page_routes(label: MedMambaLabelApp) -> APIRouter:
    """Returns the routes that the page calls.

    Args:
        label: What answers.

    Returns:
        A router with the prefix.
    """
    router, store = APIRouter(prefix="/medmamba/api", include_in_schema=False), label.datastore()

    @router.get("/state", dependencies=[_USER])
    def state() -> dict[str, Any]:
        job = next(iter(reversed(label.jobs.all("train"))), None)
        models = [
            {
                "name": model.name,
                "class_names": list(model.class_names),
                "several_labels": model.several_labels,
                "has_weights": model.weights is not None,
                "trained": {key: read_record(model).get(key) for key in ("trained", "before", "after", "validation")},
            }
            for model in label.models.values()
        ]
        return {
            "models": models,
            "strategies": [{"name": name, "description": text} for name, (text, _) in MEASURES.items()],
            "training": job and job.describe(),
        }

    @router.get("/queue", dependencies=[_USER])
    def queue(model: str = "", strategy: str = "margin", seed: int = 0) -> dict[str, Any]:
        served, note = label.model(model), ""
        if strategy != "random" and served.weights is None:
            strategy, note = "random", "There is no trained model yet, so the images come in no particular order."
        order = reading_order(served, store, strategy, seed)
        labels, malformed = store.labels_of(served)
        return {
            "strategy": strategy,
            "queue": [{"id": image, "uncertainty": value} for image, value in order],
            "labels": labels,
            "malformed": malformed,
            "note": note,
        }

    @router.get("/picture", dependencies=[_USER])
    def picture(image: str, center: float | None = None, width: float | None = None) -> Response:
        window = None if center is None or width is None else checked_window((center, width))
        return Response(_as_png(store.get_image_uri(image), window), media_type="image/png")

    @router.get("/window", dependencies=[_USER])
    def window(image: str) -> dict[str, float]:
        return _window_of(store.get_image_uri(image))

    @router.get("/prediction", dependencies=[_USER])
    def prediction(image: str, model: str = "") -> dict[str, Any]:
        return label.infer({"model": label.model(model).name, "image": image})["params"]

    @router.get("/heat", dependencies=[_USER])
    def heat(image: str, class_name: str, model: str = "", method: str = "gradcam") -> Response:
        found = label.model(model).explain(store.get_image_uri(image), class_name, method)[1]
        return Response(heat_png(found), media_type="image/png")

    @router.put("/label")
    def save(
        image: Annotated[str, Body()],
        model: Annotated[str, Body()],
        labels: Annotated[list[str], Body()],
        user: Any = _ANNOTATOR,
    ) -> dict[str, Any]:
        served = label.model(model)
        text = json.dumps({"model": model, "labels": labels})
        store.store_labels(image, read_label(text, [served]), user=user.username)
        return {"image": image}

    return router


def _window_of(path: str) -> dict[str, float]:
    """Returns centre and width with which a grey DICOM file is shown at first; empty for other pictures."""
    if not is_dicom(path):
        return {}
    import pydicom

    with discreet():
        header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        if not str(header.get("PhotometricInterpretation", "")).startswith("MONOCHROME"):
            return {}
        centre, width = (header.get(name) for name in ("WindowCenter", "WindowWidth"))
        if centre is None or width is None or header.get("VOILUTSequence"):
            low, high = modality_values(header, stored_range(header))
            return {"center": float(low + high) / 2, "width": max(1.0, abs(float(high - low)))}
        first = [float(value if np.ndim(value) == 0 else value[0]) for value in (centre, width)]
    return {"center": first[0], "width": max(1.0, first[1])}


def _as_png(path: str, window: tuple[float, float] | None) -> bytes:
    from PIL import Image

    pixels = decode_picture(path, window).transpose(1, 2, 0)
    image = Image.fromarray((pixels * 255).round().astype(np.uint8))
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    stream = io.BytesIO()
    image.save(stream, format="PNG", compress_level=1)
    return stream.getvalue()
