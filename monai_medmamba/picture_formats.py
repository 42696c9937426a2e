"""Which picture files are read, in one place."""

FORMATS = ("PNG", "JPEG", "BMP", "TIFF")
"""Pillow's names of the formats."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
"""What their files are called."""

MAX_PIXELS = 80_000_000
"""More than this is taken for a decompression bomb; below Pillow's own limit, so that our message comes first."""
