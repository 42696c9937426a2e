"""A bundle's ``docs/README.md``: the commands, settings and files of any bundle, and the words of this one."""

from __future__ import annotations

from importlib.resources import files

from .metadata import PAPER
from .plan import Plan
from .task import Task

__all__ = ["readme"]

PAGES = {"images": "README.md.j2", "volumes": "README.volumes.md.j2"}
SHOWN = {
    "images": ("split", "folds", "class_weight_power", "image_size", "mean", "std", "augmentation"),
    "volumes": (
        *("split", "folds", "class_weight_power", "volume_size", "spacing", "patch_size", "intensity_range"),
        *("mean", "std", "series", "missing", "augmentation"),
    ),
}
TRAINING = ("variant", "batch_size", "learning_rate", "epochs")


def readme(plan: Plan, task: Task, folder: str, dataset_dir: str = "") -> str:
    """Returns the text of a bundle's README.

    Args:
        plan: the bundle's decisions.
        task: its words.
        folder: the bundle's folder, as commands name it.
        dataset_dir: the data that it takes by default; empty for phantoms.

    Returns:
        Markdown.

    Example:
        >>> from .task import load_task
        >>> from .plan import make_plan
        >>> task, profile, flags = load_task("medmamba_endo")
        >>> readme(make_plan(profile, flags), task, "bundles/medmamba_endo").splitlines()[0]
        '# MedMamba endoscopy classification'
    """
    decided = {decision.name: decision for decision in plan.decisions}
    from jinja2 import DictLoader, Environment, StrictUndefined

    pages = {name: files(__package__).joinpath(name).read_text(encoding="utf-8") for name in PAGES.values()}
    environment = Environment(
        loader=DictLoader(pages),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.get_template(PAGES[plan.profile.things])
    edges = [plan["image_size"]["gpu"]] * 2 if "image_size" in decided else plan["volume_size"]["gpu"]
    return template.render(
        plan=plan,
        task=task,
        several=plan.profile.several_labels,
        folder=folder,
        decided=decided,
        paper=PAPER,
        things=plan.profile.things,
        thing=plan.profile.things.removesuffix("s"),
        picture="volume" if plan.profile.space else "picture",
        data="volumes" if plan.profile.space else "data",
        shown=(*SHOWN[plan.profile.things], *TRAINING),
        shape=",".join(str(length) for length in (plan["in_channels"], *edges)),
        dataset_dir=dataset_dir,
    )
