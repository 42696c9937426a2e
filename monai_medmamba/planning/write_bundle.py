"""From a plan to the files of a bundle."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..bundle import find_overlay
from ..files import atomic_path
from .metadata import metadata
from .plan import Plan
from .readme import readme
from .task import Task
from .template_part import lay_over

__all__ = ["write_bundle"]

CONFIGS = ("train", "evaluate", "inference", "inference_trt")
VOLUME_PARTS = ("train", "evaluate", "inference")
SHARED = ("variant", "batch_size", "learning_rate", "epochs")  # differ by device
PLAIN = ("mean", "std", "weight_decay", "warmup_epochs", "label_smoothing", "seed", "class_weight_power")
READING = {"images": ("image_size",), "volumes": ("volume_size", "spacing", "patch_size")}  # differ by device
VALUES = {"images": (), "volumes": ("intensity_range",)}
CHOOSING = {"images": (), "volumes": ("series", "missing")}  # of inference too, whatever was trained on
PREPROCESSING = {"images": ("image_size",), "volumes": ("volume_size", "spacing", "intensity_range")}
AS_IN_TRAINING = ("spatial_dims", "in_channels", "network_def", "network")


def write_bundle(
    plan: Plan, task: Task, out: str | os.PathLike[str], *, dataset_dir: str = "", overwrite: bool = False
) -> list[Path]:
    """Writes a bundle that MONAI runs as it is.

    Args:
        plan: its decisions.
        task: its words.
        out: the bundle's folder, best ``bundles/<name>``; its configs name it, so run from where this path leads there,
            or from within.
        dataset_dir: where the data lie unless ``--dataset_dir`` says otherwise; empty for phantoms.
        overwrite: whether files of a bundle that is there already are replaced. What training wrote stays.

    Returns:
        The files.

    Raises:
        FileExistsError: there is a bundle already.

    Example:
        >>> import tempfile
        >>> from .task import load_task
        >>> from .plan import make_plan
        >>> task, profile, flags = load_task("medmamba_endo")
        >>> written = write_bundle(make_plan(profile, flags), task, tempfile.mkdtemp() + "/medmamba_endo")
        >>> "train.json" in {path.name for path in written}
        True
    """
    folder = Path(out)
    if (folder / "configs").exists() and not overwrite:
        raise FileExistsError(f"{folder} holds a bundle already: name another folder with --out, or add --overwrite")
    root = folder.as_posix()
    parts: dict[str, dict[str, Any]] = {name: _template(f"{name}.json") for name in CONFIGS}
    for name in VOLUME_PARTS if plan.profile.space else ():
        lay_over(parts[name], _template(f"volumes/{name}.json"))
    _settle_training(parts["train"], plan, root, dataset_dir)
    _settle_inference(parts["inference"], parts["train"], plan, root)
    for handler in parts["evaluate"]["validate#handlers"]:
        if "title" in handler:
            handler["title"] = task.title
    parts["metadata"] = metadata(plan, task)
    texts = {
        f"configs/{name}.json": json.dumps(part, indent=4, ensure_ascii=False) + "\n" for name, part in parts.items()
    }
    texts["configs/plan.json"] = plan.as_json()
    texts["configs/multi_gpu_train.json"] = find_overlay("multi_gpu_train").path.read_text(encoding="utf-8")
    texts["configs/logging.conf"] = _read("logging.conf")
    texts["docs/README.md"] = readme(plan, task, root, dataset_dir)
    texts["docs/data_license.txt"] = task.licence.rstrip() + "\n"
    texts["LICENSE"] = _read("LICENSE")
    written = []
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _settle_training(train: dict[str, Any], plan: Plan, root: str, dataset_dir: str) -> None:
    """Writes the decisions into the training config."""
    train["bundle_root"] = _bundle_root(root)
    train["dataset_dir"] = dataset_dir
    for name in (*SHARED, *READING[plan.profile.things]):
        train[name] = _by_device(plan[name])
    for name in (*PLAIN, *VALUES[plan.profile.things], *CHOOSING[plan.profile.things]):
        train[name] = plan[name]
    rates = plan["drop_path_rate"]
    train["drop_path_rate"] = (
        _by_device(rates) if rates["cpu"] else f"$0.0 if @variant == 'nano' else {rates['gpu'] or 0.1}"
    )
    train["layout"] = layout(plan)
    train["safe_flips"] = safe_flips(plan)
    augment = _find(train["train"]["random_transforms"], "AugmentBatchd")["augment"]
    train["train"]["random_transforms"][0]["augment"] = {"_target_": augment["_target_"], **plan["augmentation"]}
    if plan.profile.space and plan["augmentation"]["turn_prob"]:
        turns = f"${plan['augmentation']['turn_prob']} if @volume_size[0] == @volume_size[1] else 0.0"
        train["train"]["random_transforms"][0]["augment"]["turn_prob"] = turns


def _settle_inference(inference: dict[str, Any], train: dict[str, Any], plan: Plan, root: str) -> None:
    """Writes the decisions into the inference config: for a network without weights, to be exported or checked.

    What an image goes through, before the network, in it and after, is that of the training.
    """
    for name in AS_IN_TRAINING:
        inference[name] = train[name]
    steps = train["train"]["deterministic_transforms"] + train["train"]["normalization"]
    inference["preprocessing"] = {"_target_": "Compose", "transforms": steps}
    inference["postprocessing"] = train["validate"]["postprocessing"]
    inference["inferer"] = train["validate"]["inferer"]
    inference["bundle_root"] = _bundle_root(root)
    inference["layout"] = {name: value for name, value in layout(plan).items() if name in ("exclude", "phantoms")}
    inference["safe_flips"] = safe_flips(plan)
    inference["untrained"]["variant"] = plan["variant"]["gpu"]
    inference["untrained"]["several_labels"] = plan.profile.several_labels
    for name in CHOOSING[plan.profile.things]:
        inference[name] = plan[name]
    inference["untrained"]["preprocessing"] = {
        **{name: _on_gpu(plan[name]) for name in PREPROCESSING[plan.profile.things]},
        "mean": plan["mean"],
        "std": plan["std"],
    }
    if plan.profile.space:
        inference["untrained"]["network"] = {"patch_size": _on_gpu(plan["patch_size"])}


def layout(plan: Plan) -> dict[str, Any]:
    """Returns how ``prepare_data`` reads the data set."""
    found = {**plan.profile.layout, "fractions": plan["fractions"]}
    if plan.profile.several_labels:  # the fingerprint does not compare the labels of pictures that repeat
        found["leave_out_contradictions"] = True
    if plan["exclude"]:
        found["exclude"] = [*found.get("exclude", ()), *plan["exclude"]]
    return found


def safe_flips(plan: Plan) -> list[list[int]]:
    """Returns the mirror images, by flipped spatial axes, that mean what the image means: those that training draws."""
    if plan.profile.space:
        return [[], [0], [1], [2]] if plan["augmentation"]["flip_prob"] else [[]]
    axes = [axis for axis, name in enumerate(("flip_prob", "mirror_prob")) if plan["augmentation"][name]]
    return [list(chosen) for count in range(len(axes) + 1) for chosen in itertools.combinations(axes, count)]


def _bundle_root(root: str) -> str:
    return f"$'.' if os.path.exists('configs/metadata.json') else {root!r}"


def _by_device(value: Any) -> Any:
    """Returns the value, or the expression that takes the one of the device."""
    if not isinstance(value, Mapping):
        return value
    if value["gpu"] == value["cpu"]:
        return value["gpu"]
    return f"${value['gpu']!r} if @on_gpu else {value['cpu']!r}"


def _on_gpu(value: Any) -> Any:
    return value["gpu"] if isinstance(value, Mapping) and value.keys() == {"gpu", "cpu"} else value


def _find(parts: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(part for part in parts if part["_target_"].endswith(name))


def _template(name: str) -> dict[str, Any]:
    content = json.loads(_read(name))
    if not isinstance(content, dict):
        raise TypeError(f"{name}: no object")
    return content


def _read(name: str) -> str:
    return files(__package__).joinpath("template", name).read_text(encoding="utf-8")
