"""An application for MONAI Label, and a page to read images on: look, correct, train, and see the model change.

``medmamba label-app`` prints the folder for ``monailabel start_server --app``. MONAI Label 0.8.5 wants an environment
of its own (``pip install "monai-medmamba[label]"``), so only the modules that need it import it.
"""

from .app_folder import write_app_folder
from .image_label import ImageLabel, read_label
from .label_bundle import LabelBundle, find_bundle
from .request_error import RequestError

__all__ = ["ImageLabel", "LabelBundle", "RequestError", "find_bundle", "read_label", "write_app_folder"]
