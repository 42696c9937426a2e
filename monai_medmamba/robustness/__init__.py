"""How trained weights bear what happens to pictures: noise, blur, lost contrast, highlights, rotation and more.

MONAI's transforms do what they can; JPEG, specular highlights and motion, which MONAI lacks, are written here.
"""

from .corruptions import CORRUPTIONS, SEVERITIES, Corruption, corrupt
from .figures import corruption_figure, robustness_figure
from .measure import Robustness, RobustnessRow, measure_robustness
from .page import write_robustness

__all__ = [
    "CORRUPTIONS",
    "SEVERITIES",
    "Corruption",
    "Robustness",
    "RobustnessRow",
    "corrupt",
    "corruption_figure",
    "measure_robustness",
    "robustness_figure",
    "write_robustness",
]
