"""The application that MONAI Label serves."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType
from monailabel.interfaces.tasks.scoring import ScoringMethod

from ..version import __version__
from .active_learning import MEASURES, NextImage
from .agreement import judge
from .background_jobs import BackgroundJobs, Job
from .heat_picture import heat_png
from .image_label import ImageLabel
from .image_store import ORIGINAL, ImageStore
from .label_bundle import find_bundle
from .request_error import RequestError
from .served_model import ServedModel, Window
from .train_task import FineTune, read_record

__all__ = ["MedMambaLabelApp"]

DEFAULT_MODELS = "medmamba_endo"


class MedMambaLabelApp(MONAILabelApp):
    """Serves MedMamba's classification bundles.

    Args:
        app_dir: What ``medmamba label-app`` printed; weights that are trained here are kept in it.
        studies: A folder of images, or the address of a DICOMweb server.
        conf: ``models``, names or paths of bundles with commas between them; ``device``; ``modality`` for DICOMweb,
            such as ``CR,DX``.

    Raises:
        RequestError: A bundle cannot be found or used.

    Example:
        >>> MedMambaLabelApp.__name__
        'MedMambaLabelApp'
    """

    def __init__(self, app_dir: str, studies: str, conf: Mapping[str, str]) -> None:
        folders = [os.path.join(app_dir, "bundles")]
        words = [word.strip() for word in conf.get("models", DEFAULT_MODELS).split(",") if word.strip()]
        bundles = [find_bundle(word, folders) for word in words]
        doubled = {bundle.name for bundle in bundles if sum(bundle.name == other.name for other in bundles) > 1}
        if doubled:
            raise RequestError(422, f"expected bundles of different names, got {', '.join(sorted(doubled))} twice")
        device = conf.get("device", "auto")
        self.models = {
            bundle.name: ServedModel(bundle, Path(app_dir) / "model" / bundle.name, device) for bundle in bundles
        }
        self.jobs = BackgroundJobs()
        super().__init__(
            app_dir,
            studies,
            dict(conf),
            name=f"MedMamba {__version__}",
            description="Classification of medical images; not for diagnostic use",
            version=__version__,
        )
        self._auto_update_scoring = False  # it would ask the server, by its port, to score after each request
        from .server import take_over

        take_over(self)

    def init_datastore(self) -> ImageStore:
        """Returns the images of the studies."""
        if self.studies.startswith(("http://", "https://")):
            from .dicomweb_store import DicomWebStore

            modalities = tuple(word.strip() for word in self.conf.get("modality", "").split(",") if word.strip())
            return DicomWebStore(self.studies.rstrip("/"), Path(self.app_dir) / "studies", modalities)
        return ImageStore(self.studies)

    def init_infers(self) -> dict[str, InferTask]:
        """Returns a task for each model."""
        return {name: Classify(model) for name, model in self.models.items()}

    def init_trainers(self) -> dict[str, FineTune]:
        """Returns a training for each model."""
        return {name: FineTune(model) for name, model in self.models.items()}

    def init_strategies(self) -> dict[str, NextImage]:
        """Returns the strategies of active learning."""
        return {name: NextImage(name, self.models) for name in MEASURES}

    def init_scoring_methods(self) -> dict[str, ScoringMethod]:
        """Returns what judges the models."""
        return {"agreement": Agreement(self.models)}

    def model(self, name: str | None) -> ServedModel:
        """Returns a model by its name, the first where none is given.

        Raises:
            RequestError: There is none of this name.
        """
        wanted = name or next(iter(self.models))
        if wanted not in self.models:
            raise RequestError(404, f"expected one of the models {', '.join(self.models)}, got {wanted!r}")
        return self.models[wanted]

    def infer(self, request: dict[str, Any], datastore: ImageStore | None = None) -> dict[str, Any]:
        """Classifies an image of the studies; a path is none.

        Raises:
            RequestError: There is no such model or image, or it cannot be read.
        """
        store = datastore or self.datastore()
        model, image = self.model(request.get("model")), str(request.get("image") or "")
        params = self._infers[model.name]({**request, "path": store.get_image_uri(image)})[1]
        if request.get("save_label"):
            label = ImageLabel(model.name, tuple(params["labels"]))
            noted = {"probabilities": params["probabilities"]}
            store.store_labels(image, [label], str(request.get("label_tag") or ORIGINAL), **noted)
        return {"label": None, "tag": ORIGINAL, "file": None, "params": {**params, "image": image}}

    def batch_infer(
        self, request: dict[str, Any], datastore: ImageStore | None = None, job: Job | None = None
    ) -> dict[str, Any]:
        """Classifies many images and keeps the results as labels with the tag ``original``.

        Args:
            request: ``model``; ``images``, ``all``, ``labeled`` or ``unlabeled``, or a list of ids;
                ``max_batch_size``, at most so many.
            datastore: Of the images.
            job: Is told of the progress, and says when to stop.

        Returns:
            The result of each image; where one cannot be read, ``error`` says why.

        Raises:
            RequestError: There is no such model, or it has no weights.
        """
        store = datastore or self.datastore()
        model, job = self.model(request.get("model")), job or Job("batch_infer", request)
        model.load()
        wanted = request.get("images", "all")
        tagged = {"labeled": store.get_labeled_images, "unlabeled": store.get_unlabeled_images}
        images = wanted if isinstance(wanted, list) else tagged.get(str(wanted), store.list_images)()
        images = images[: int(request.get("max_batch_size") or 0) or None]
        results: dict[str, Any] = {}
        for image in images:
            if job.stopping:
                break
            try:
                results[image] = self.infer({"model": model.name, "image": image, "save_label": True}, store)["params"]
            except (ValueError, OSError) as error:
                results[image] = {"error": str(error)}
            job.progress = {"done": len(results), "images": len(images)}
        return results

    def next_sample(self, request: dict[str, Any]) -> dict[str, Any]:
        """Returns the image that a reader should see next.

        Raises:
            RequestError: There is no such strategy or model, or it needs weights and there are none.
        """
        name = str(request.get("strategy") or "random")
        if name not in self._strategies:
            raise RequestError(404, f"expected one of the strategies {', '.join(self._strategies)}, got {name!r}")
        found = self._strategies[name](request, self.datastore())
        return {**found, **self.datastore().get_image_info(found["id"])} if found else {}

    def model_file(self, model: str, validate: bool = True) -> str | None:
        """Returns the path of the weights in use."""
        del validate
        path = self.model(model).weights
        return None if path is None else os.fspath(path)

    def on_init_complete(self) -> None:
        """Does without MONAI Label's scoring at start and its timer for sessions, which are not offered."""

    def _load_sessions(self, load: bool = False) -> None:
        """Does without sessions."""


class Classify(InferTask):
    """Inference of one model.

    Args:
        model: That classifies.

    Example:
        >>> Classify.__name__
        'Classify'
    """

    def __init__(self, model: ServedModel) -> None:
        super().__init__(InferType.CLASSIFICATION, list(model.class_names), 2, model.bundle.description)
        self.model = model

    def is_valid(self) -> bool:
        """Tells whether there are weights."""
        return self.model.weights is not None

    def get_path(self, validate: bool = True) -> str | None:
        """Returns the path of the weights in use."""
        del validate
        return None if self.model.weights is None else os.fspath(self.model.weights)

    def __call__(self, request: dict[str, Any]) -> tuple[None, dict[str, Any]]:
        """Classifies the file ``path``.

        ``cam``, true or the name of a method, adds a map of what counts as a PNG file in base64, for the class
        ``cam_class`` or the most probable; ``window`` is centre and width for grey DICOM files.

        Raises:
            RequestError: There are no weights, or a setting is wrong.
            ImageReadError: The file cannot be used.
        """
        window = checked_window(request.get("window"))
        found = self.model.predict(request["path"], window)
        result: dict[str, Any] = {
            "model": self.model.name,
            "label_names": list(found.probabilities),
            "labels": list(found.labels),
            "scores": found.scores,
            "probabilities": found.probabilities,
            "calibrated": found.calibrated,
        }
        if request.get("cam"):
            method = "gradcam" if request["cam"] is True else str(request["cam"])
            name, heat = self.model.explain(request["path"], request.get("cam_class"), method, window)
            picture = base64.b64encode(heat_png(heat)).decode("ascii")
            result["cam"] = {"class": name, "method": method, "png": picture}
        return None, result


class Agreement(ScoringMethod):
    """Compares what models say with what readers said.

    Args:
        models: By name.

    Example:
        >>> Agreement({}).info()["description"]
        'How far each model agrees with the readers, and on images that training kept out'
    """

    def __init__(self, models: Mapping[str, ServedModel]) -> None:
        super().__init__("How far each model agrees with the readers, and on images that training kept out")
        self.models = models

    def __call__(self, request: dict[str, Any], datastore: ImageStore) -> dict[str, Any]:
        """Returns the figures of ``model``, or of every model that has weights, and the labels passed over."""
        chosen = [m for m in self.models.values() if request.get("model") in (None, m.name) and m.weights]
        found = {}
        for model in chosen:
            labels, malformed = datastore.labels_of(model)
            held = read_record(model).get("validation_images", ())
            found[model.name] = {**judge(model, labels, held, datastore), "malformed": malformed}
        return found


def checked_window(value: Any) -> Window | None:
    """Returns centre and width; raises RequestError where they are no such numbers."""
    if value is None:
        return None
    try:
        centre, width = (float(part) for part in value)
    except (TypeError, ValueError) as error:
        raise RequestError(422, f"expected a window as two numbers, centre and width, got {value!r}") from error
    if not (abs(centre) < 1e9 and 1 <= width < 1e9):
        raise RequestError(422, f"expected a window of width 1 or more, got {centre:g} and {width:g}")
    return centre, width
