"""MONAI Label's addresses for models: what its clients call, with clear answers to wrong requests."""

from __future__ import annotations

import base64
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, File, Form, Response, UploadFile
from fastapi.responses import FileResponse
from monailabel.config import settings
from monailabel.endpoints.user.auth import RBAC

from .background_jobs import Job
from .request_error import RequestError

if TYPE_CHECKING:
    from .app import MedMambaLabelApp

__all__ = ["monai_label_routes"]

Params = Annotated[dict[str, Any] | None, Body()]
Images = Literal["all", "labeled", "unlabeled"]

_USER, _ANNOTATOR, _ADMIN = (
    Depends(RBAC(role))
    for role in (
        settings.MONAI_LABEL_AUTH_ROLE_USER,
        settings.MONAI_LABEL_AUTH_ROLE_ANNOTATOR,
        settings.MONAI_LABEL_AUTH_ROLE_ADMIN,
    )
)


def monai_label_routes(label: MedMambaLabelApp) -> APIRouter:
    """Returns the routes for inference, training, scoring, active learning and models.

    Args:
        label: What answers.

    Returns:
        A router without a prefix.
    """
    router, jobs = APIRouter(), label.jobs

    def start(kind: str, request: dict[str, Any], work: Any, wait: bool, enqueue: bool = False) -> Any:
        job = jobs.submit(kind, request, work, enqueue=enqueue)
        if not wait:
            return job.describe()
        while not jobs.wait(kind, 3600):
            pass
        if job.error is not None:
            raise job.error
        return job.result

    def state_of(kind: str, every: bool, running: bool) -> Any:
        found = jobs.all(kind)
        if running:
            found = [job for job in found if job is jobs.running(kind)]
        if not found:
            raise RequestError(404, f"no {kind} task {'is running' if running else 'was started'}")
        return [job.describe() for job in found] if every and not running else found[-1].describe()

    @router.get("/info/", dependencies=[_USER])
    def info() -> dict[str, Any]:
        return label.info()

    @router.post("/infer/{model}", dependencies=[_USER])
    def infer(
        model: str,
        image: str = "",
        params: Annotated[str, Form()] = "{}",
        file: Annotated[UploadFile | None, File()] = None,
        output: Literal["json", "all", "image"] = "json",
    ) -> Any:
        request = {**read_params(params), "model": label.model(model).name, "image": image}
        if output == "image":
            request["cam"] = request.get("cam") or True
        if file is not None:
            with _uploaded(file) as path:
                request["path"] = path
                result = label._infers[model](request)[1]
        elif image:
            result = label.infer(request)["params"]
        else:
            raise RequestError(422, "expected image=ID of an image in the studies, or an uploaded file")
        if output == "image":
            return Response(base64.b64decode(result["cam"]["png"]), media_type="image/png")
        return result

    @router.post("/batch/infer/{model}", dependencies=[_ADMIN])
    def batch(model: str, images: Images = "all", params: Params = None, run_sync: bool = False) -> Any:
        label.model(model).load()
        request = {**(params or {}), "model": model, "images": images}
        return start("batch_infer", request, lambda job: label.batch_infer(request, job=job), run_sync)

    @router.get("/batch/infer", dependencies=[_USER])
    def batch_state(all: bool = False, check_if_running: bool = False) -> Any:  # noqa: A002 (MONAI Label's name)
        return state_of("batch_infer", all, check_if_running)

    @router.delete("/batch/infer", dependencies=[_ADMIN])
    def batch_stop() -> Any:
        return jobs.stop("batch_infer").describe()

    def train_job(model: str, params: dict[str, Any] | None) -> tuple[dict[str, Any], Any]:
        own = (params or {}).get(model)
        request = {**(params or {}), **(own if isinstance(own, dict) else {}), "model": label.model(model).name}

        def work(job: Job) -> Any:
            return label._trainers[model].train(request, label.datastore(), job)

        return request, work

    @router.post("/train/", dependencies=[_ADMIN])
    def train_all(params: Params = None, run_sync: bool = False) -> dict[str, Any]:
        return {name: start("train", *train_job(name, params), run_sync, enqueue=True) for name in label.models}

    @router.post("/train/{model}", dependencies=[_ADMIN])
    def train(model: str, params: Params = None, run_sync: bool = False, enqueue: bool = False) -> Any:
        return start("train", *train_job(model, params), run_sync, enqueue)

    @router.get("/train/", dependencies=[_USER])
    def train_state(all: bool = False, check_if_running: bool = False) -> Any:  # noqa: A002 (MONAI Label's name)
        return state_of("train", all, check_if_running)

    @router.delete("/train/", dependencies=[_ADMIN])
    def train_stop() -> Any:
        return jobs.stop("train").describe()

    @router.post("/scoring/{method}", dependencies=[_ANNOTATOR])
    def score(method: str, params: Params = None, run_sync: bool = False) -> Any:
        if method not in label._scoring_methods:
            raise RequestError(404, f"expected one of {', '.join(label._scoring_methods)}, got {method!r}")
        request = {**(params or {}), "method": method}
        if request.get("model"):
            label.model(str(request["model"]))
        return start("scoring", request, lambda job: label.scoring(request), run_sync)  # noqa: ARG005

    @router.get("/scoring/", dependencies=[_USER])
    def score_state(all: bool = False, check_if_running: bool = False) -> Any:  # noqa: A002 (MONAI Label's name)
        return state_of("scoring", all, check_if_running)

    @router.delete("/scoring/", dependencies=[_ANNOTATOR])
    def score_stop() -> Any:
        return jobs.stop("scoring").describe()

    @router.post("/activelearning/{strategy}", dependencies=[_USER])
    def next_image(strategy: str, params: Params = None) -> dict[str, Any]:
        return label.next_sample({**(params or {}), "strategy": strategy})

    @router.get("/model/info/{model}", dependencies=[_ADMIN])
    def model_info(model: str) -> dict[str, Any]:
        weights_of(model)
        return label.model_info(model) or {}

    @router.get("/model/{model}", dependencies=[_ADMIN])
    def download(model: str) -> FileResponse:
        path = weights_of(model)
        return FileResponse(path, media_type="application/octet-stream", filename=f"{model}{path.suffix}")

    @router.put("/model/{model}", dependencies=[_ADMIN])
    def upload(model: str, file: Annotated[UploadFile, File()]) -> dict[str, Any]:
        served = label.model(model)
        with _uploaded(file) as path:
            served.publish(path)
        return label.model_info(model) or {}

    @router.delete("/model/{model}", dependencies=[_ADMIN])
    def set_aside(model: str) -> dict[str, str]:
        return {"kept_as": label.model(model).set_aside().name}

    def weights_of(model: str) -> Path:
        path = label.model(model).weights
        if path is None:
            raise RequestError(404, f"{model} has no weights yet")
        return path

    return router


def read_params(text: str) -> dict[str, Any]:
    """Returns the JSON object in a form's field; raises RequestError where it is none."""
    try:
        content = json.loads(text or "{}")
    except ValueError as error:
        raise RequestError(422, f"expected params as a JSON object: {error}") from error
    if not isinstance(content, dict):
        raise RequestError(422, f"expected params as a JSON object, got {text[:200]}")
    return content


class _uploaded:  # noqa: N801 (used like a function)
    """Keeps an uploaded file on the disk for as long as a block runs."""

    def __init__(self, file: UploadFile) -> None:
        self.file = file

    def __enter__(self) -> str:
        suffix = Path(os.path.basename(self.file.filename or "")).suffix.lower()
        with tempfile.NamedTemporaryFile(suffix=suffix if suffix[1:].isalnum() else "", delete=False) as target:
            while part := self.file.file.read(1 << 20):
                target.write(part)
        self.path = target.name
        return self.path

    def __exit__(self, *error: object) -> None:
        os.unlink(self.path)
