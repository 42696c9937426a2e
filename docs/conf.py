"""Sphinx settings: Markdown pages by hand, reference pages from the docstrings."""

import re

from monai_medmamba.version import __version__

project = "monai_medmamba"
author = "The monai_medmamba authors"
copyright = f"2026, {author}"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

# The rooms say what is public: their __all__, in that order.
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"

napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = ["Source"]

html_theme = "furo"
html_title = f"monai_medmamba {release}"


def escape_shapes(_app, _what, _name, _object, _options, lines):
    """Keep the star of a shape such as (B, *space, D), outside code, from being read as emphasis."""
    for number, line in enumerate(lines):
        lines[number] = re.sub(r"``.*?``|>>>.*|\*space\b", lambda m: r"\*space" if m[0] == "*space" else m[0], line)


def setup(app):
    """Let Sphinx call the hook above on every docstring."""
    app.connect("autodoc-process-docstring", escape_shapes)
