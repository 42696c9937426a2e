"""Every public name of a room explains itself: the sections a docstring needs, and that they match the signature."""

import ast
import importlib
import inspect
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import is_typeddict

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "monai_medmamba"
MAX_EXAMPLE_LINES = 6
NEEDS_AN_EXTRA = {"label"}  # imports only beside MONAI Label

ROOMS = sorted({path.parent.name for path in (ROOT / PACKAGE).glob("*/__init__.py")} - NEEDS_AN_EXTRA)


def sections(docstring: str) -> dict[str, str]:
    """Return the text of each Google section of a cleaned docstring, by its title."""
    parts = re.split(r"^([A-Z]\w+):[ ]*$", docstring, flags=re.MULTILINE)
    return {title: textwrap.dedent(text).strip("\n") for title, text in zip(parts[1::2], parts[2::2], strict=True)}


def documented(section: str) -> set[str]:
    """Return the names that an Args or Attributes section explains; ``H, W: ...`` explains two."""
    heads = re.findall(r"^(\*{0,2}\w+(?:, *\*{0,2}\w+)*)(?: \(.*?\))?:", section, flags=re.MULTILINE)
    return {name.strip(" *") for head in heads for name in head.split(",")}


def raises(function: object) -> bool:
    """Tell whether a function's own body, without the functions nested in it, raises."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))  # type: ignore[arg-type]
    except (OSError, TypeError):  # no Python source, such as the __init__ that dataclass writes
        return False
    nodes = list(tree.body[0].body) if isinstance(tree.body[0], ast.FunctionDef) else []
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Raise):
            return True
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
            nodes += ast.iter_child_nodes(node)
    return False


def faults(name: str, thing: object) -> list[str]:
    """Return what the docstring of a public class or function lacks."""
    is_class = inspect.isclass(thing)
    if not (is_class or isinstance(thing, FunctionType)):
        return []  # constants have a comment, modules have Ruff
    own = thing.__dict__.get("__doc__") if is_class else thing.__doc__  # a class inherits its parent's by getattr
    docstring = inspect.cleandoc(own or "")
    if not docstring or docstring.startswith(("Args:", f"{thing.__name__}(")):  # the last is written by dataclass
        return [f"{name}: has no docstring with a summary in its first line"]
    if is_class and issubclass(thing, BaseException):
        return []  # the summary says when it is raised
    found = sections(docstring)

    faulty = []
    signature = inspect.signature(thing) if not is_typeddict(thing) else inspect.Signature()
    wanted = set(signature.parameters)
    given = documented(found.get("Args", "")) | (documented(found.get("Attributes", "")) if is_class else set())
    if wanted - given:
        faulty.append(f"{name}: Args does not explain {sorted(wanted - given)}")
    if documented(found.get("Args", "")) - wanted:
        faulty.append(f"{name}: Args explains {sorted(given - wanted)}, which the signature lacks")
    nothing = {None, "None", inspect.Signature.empty, "Never", "NoReturn"}
    if not is_class and signature.return_annotation not in nothing and not found.keys() & {"Returns", "Yields"}:
        faulty.append(f"{name}: has no Returns section")
    bodies = [vars(thing).get("__init__"), vars(thing).get("__post_init__")] if is_class else [thing]
    if any(raises(body) for body in bodies) and "Raises" not in found:
        faulty.append(f"{name}: raises, but has no Raises section")
    if is_typeddict(thing):
        return faulty  # it does nothing that an example could show
    code = re.findall(r"^(?:>>>|\.\.\.)", found.get("Example", ""), flags=re.MULTILINE)
    if not 1 <= len(code) <= MAX_EXAMPLE_LINES:
        faulty.append(
            f"{name}: needs an Example section of one to {MAX_EXAMPLE_LINES} lines after >>>, has {len(code)}"
        )
    return faulty


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_explain_themselves(room):
    module = importlib.import_module(f"{PACKAGE}.{room}")
    assert hasattr(module, "__all__"), f"{PACKAGE}/{room}/__init__.py lists no public names in __all__"
    found = [fault for name in module.__all__ for fault in faults(f"{room}.{name}", getattr(module, name))]
    assert not found, "\n".join(found)


def test_every_room_has_a_reference_page():
    missing = [room for room in ROOMS if not (ROOT / "docs" / "reference" / f"{room}.md").exists()]
    assert not missing, f"write docs/reference/<room>.md for {missing}"


class Good:
    """A class in order.

    Args:
        size: how large, in pixels.
        name: what it is called.
            More about it: on a second line.

    Raises:
        ValueError: ``size`` is negative.

    Example:
        >>> Good(1, "a").size
        1
    """

    def __init__(self, size: int, name: str) -> None:
        if size < 0:
            raise ValueError(size)
        self.size, self.name = size, name


def good(x: int, *rest: int, **named: int) -> int:
    """Return ``x``.

    Args:
        x, rest: numbers.
        **named: more numbers.

    Returns:
        The first number.

    Example:
        >>> good(1)
        1
    """

    def nested() -> None:
        raise ValueError

    return x if rest or named else nested or x  # type: ignore[return-value]


@pytest.mark.parametrize("thing", [Good, good, 3, textwrap])
def test_accepts(thing):
    assert faults("thing", thing) == []


@pytest.mark.parametrize(
    ("cut", "put", "message"),
    [
        ("A class in order.", "", "summary"),
        ("name: what", "nom: what", "name"),
        ("Args:", "Arguments are", "Args"),
        ("Raises:", "Fails:", "Raises"),
        (">>>", "", "Example"),
        (">>>", ">>> 1\n" * 7 + "        >>>", "Example"),
    ],
)
def test_refuses_a_class(cut, put, message):
    broken = type("Broken", (), {**vars(Good), "__doc__": Good.__doc__.replace(cut, put)})
    assert message in " ".join(faults("broken", broken))


def test_refuses_a_function_without_returns():
    broken = FunctionType(good.__code__, globals(), "broken")
    broken.__annotations__, broken.__doc__ = good.__annotations__, good.__doc__.replace("Returns:", "Gives:")
    assert faults("broken", broken) == ["broken: has no Returns section"]


@dataclass
class Silent:
    size: int


@pytest.mark.parametrize("thing", [Silent, type("Heir", (Good,), {}), type("Odd", (KeyError,), {})])
def test_refuses_a_docstring_that_nobody_wrote(thing):
    assert faults("thing", thing) == ["thing: has no docstring with a summary in its first line"]
