"""A bundle's ``docs/README.md``: the commands, settings and files of any bundle, and the words of this one."""

from __future__ import annotations

from importlib.resources import files

from .metadata import PAPER
from .plan import Plan
from .task import Task

__all__ = ["readme"]


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
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    template = environment.from_string(files(__package__).joinpath("README.md.j2").read_text(encoding="utf-8"))
    decided = {decision.name: decision for decision in plan.decisions}
    return template.render(
        plan=plan,
        task=task,
        several=plan.profile.several_labels,
        folder=folder,
        decided=decided,
        paper=PAPER,
        size=plan["image_size"]["gpu"],
        dataset_dir=dataset_dir,
    )
