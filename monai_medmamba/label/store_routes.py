"""MONAI Label's addresses for images and labels, with clear answers to wrong requests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Response, UploadFile
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from .image_label import MAX_BYTES, read_label
from .image_store import FINAL
from .monai_label_routes import _ADMIN, _ANNOTATOR, _USER, _uploaded, read_params

if TYPE_CHECKING:
    from .app import MedMambaLabelApp

__all__ = ["store_routes"]


def store_routes(label: MedMambaLabelApp) -> APIRouter:
    """Returns the routes below ``/datastore``.

    Args:
        label: What answers.

    Returns:
        A router with that prefix.
    """
    router, store = APIRouter(prefix="/datastore"), label.datastore()

    @router.get("/", dependencies=[_USER])
    def state(output: Literal["stats", "all", "train"] = "stats") -> Any:
        return {"stats": store.status, "all": store.json, "train": store.datalist}[output]()

    @router.post("/refresh", dependencies=[_USER])
    def refresh() -> dict[str, Any]:
        store.refresh()
        return store.status()

    @router.put("/image", dependencies=[_ANNOTATOR])
    def add_image(
        file: Annotated[UploadFile, File()], image: str = "", params: Annotated[str, Form()] = "{}"
    ) -> dict[str, str]:
        info, name = read_params(params), image or os.path.basename(file.filename or "")
        with _uploaded(file) as path:
            return {"image": store.add_image(name, path, info)}

    @router.delete("/image", dependencies=[_ADMIN])
    def remove_image(id: str) -> dict[str, Any]:  # noqa: A002 (MONAI Label's name)
        store.remove_image(id)
        return {}

    @router.get("/image", dependencies=[_USER])
    @router.head("/image", dependencies=[_USER])
    def image(image: str) -> FileResponse:
        path = store.get_image_uri(image)
        return FileResponse(path, filename=Path(path).name)

    @router.get("/image/info", dependencies=[_USER])
    def image_info(image: str) -> dict[str, Any]:
        return store.get_image_info(image)

    @router.put("/image/info", dependencies=[_ANNOTATOR])
    def note_image(image: str, info: Annotated[str, Form()] = "{}") -> dict[str, Any]:
        store.update_image_info(image, read_params(info))
        return {}

    @router.put("/label")
    def save_label(
        image: str,
        label_file: Annotated[UploadFile, File(alias="label")],
        tag: str = FINAL,
        params: Annotated[str, Form()] = "{}",
        user: Any = _ANNOTATOR,
    ) -> dict[str, Any]:
        noted = read_params(params)
        store.get_image_uri(image)
        labels = read_label(label_file.file.read(MAX_BYTES + 1), list(label.models.values()))
        extra = {"params": noted} if noted else {}
        store.store_labels(image, labels, tag, user=user.username, **extra)
        return {"image": image, "label": image, "models": {one.model: list(one.classes) for one in labels}}

    @router.delete("/label", dependencies=[_ADMIN])
    def remove_label(id: str, tag: str = FINAL) -> dict[str, Any]:  # noqa: A002 (MONAI Label's name)
        store.remove_label(id, tag)
        return {}

    @router.get("/label", dependencies=[_USER])
    @router.head("/label", dependencies=[_USER])
    def get_label(label: str, tag: str = FINAL) -> FileResponse:
        path = store.get_label_uri(label, tag)
        return FileResponse(path, media_type="application/json", filename=Path(path).name)

    @router.get("/label/info", dependencies=[_USER])
    def label_info(label: str, tag: str = FINAL) -> dict[str, Any]:
        return store.get_label_info(label, tag)

    @router.get("/dataset", dependencies=[_ANNOTATOR])
    def archive(limit_cases: int | None = None) -> Response:
        path = store.get_dataset_archive(limit_cases)
        return FileResponse(path, filename="dataset.zip", background=BackgroundTask(os.unlink, path))

    return router
