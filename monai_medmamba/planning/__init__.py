"""The planner: from what a data set is to a bundle that trains on it, every decision with its reason."""

from .cost import training_gib, training_hours
from .decision import Choices, Decision
from .plan import Plan, make_plan
from .profile import Profile, Space, profile_of
from .task import TASKS, Task, load_task, task_of
from .write_bundle import write_bundle

__all__ = [
    "TASKS",
    "Choices",
    "Decision",
    "Plan",
    "Profile",
    "Space",
    "Task",
    "load_task",
    "make_plan",
    "profile_of",
    "task_of",
    "training_gib",
    "training_hours",
    "write_bundle",
]
