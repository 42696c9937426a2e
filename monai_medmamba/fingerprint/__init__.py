"""The fingerprint of a data set: what it holds and what is wrong with it, before anything is trained on it.

`fingerprint_dataset` reads every image once, keeps what it measured, and writes a JSON file for programs and a page for
people. `load_fingerprint` reads the JSON file back.
"""

from .build import SCHEMA_VERSION, fingerprint_dataset, load_fingerprint
from .headline import headline

__all__ = ["SCHEMA_VERSION", "fingerprint_dataset", "headline", "load_fingerprint"]
