import pytest
from jinja2 import TemplateNotFound, UndefinedError

from monai_medmamba.visualize.page_template import page_template


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with one template."""
    (tmp_path / "pagepackage").mkdir()
    (tmp_path / "pagepackage" / "__init__.py").write_text("")
    text = '{{ name | loud }} {% include "page_style.html.j2" %}'
    (tmp_path / "pagepackage" / "own.html.j2").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return "pagepackage"


def test_escapes_and_includes(package):
    page = page_template(package, "own.html.j2", {"loud": str.upper}).render(name="<b>")
    assert page.startswith("&lt;B&gt; ")
    assert "--ink" in page


def test_a_missing_name_is_an_error(package):
    with pytest.raises(UndefinedError):
        page_template(package, "own.html.j2", {"loud": lambda value: value}).render()


def test_a_missing_template_is_an_error(package):
    with pytest.raises((TemplateNotFound, FileNotFoundError)):
        page_template(package, "other.html.j2", {})
