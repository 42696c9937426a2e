"""Public data sets from their publishers: downloaded with resume, checked, unpacked with suspicion."""

from monai_medmamba.data.fetch.download import download_file
from monai_medmamba.data.fetch.fetch_set import fetch_set
from monai_medmamba.data.fetch.publishers import PublicSet, find_set, list_sets
from monai_medmamba.data.fetch.unpack import ArchiveError, unpack

__all__ = ["ArchiveError", "PublicSet", "download_file", "fetch_set", "find_set", "list_sets", "unpack"]
