"""What FHIR R4 requires of the resources that we write, from the definitions of the standard."""

from collections.abc import Iterator
from typing import Any

REQUIRED = {  # elements of cardinality 1..1 and 1..*, https://hl7.org/fhir/R4/<resource>.html
    "Bundle": {"type"},
    "DiagnosticReport": {"status", "code"},
    "Observation": {"status", "code"},
    "ImagingStudy": {"status", "subject"},
    "Device": set(),
}
STATUS = {  # required value sets
    "DiagnosticReport": {"registered", "partial", "preliminary", "final", "amended", "cancelled"},
    "Observation": {"registered", "preliminary", "final", "amended", "cancelled"},
    "ImagingStudy": {"registered", "available", "cancelled", "entered-in-error", "unknown"},
    "Device": {"active", "inactive", "entered-in-error", "unknown"},
}
NESTED = {  # elements of parts that are there
    ("ImagingStudy", "series"): {"uid", "modality"},
    ("Observation", "component"): {"code"},
    ("Device", "deviceName"): {"name", "type"},
    ("Device", "version"): {"value"},
}


def fhir_faults(bundle: dict[str, Any]) -> list[str]:
    """Return what is wrong with a bundle: required elements, statuses, and references that lead nowhere."""
    places = {entry["fullUrl"] for entry in bundle["entry"]}
    found = [] if len(places) == len(bundle["entry"]) else ["two entries have one fullUrl"]
    resources = [bundle, *(entry["resource"] for entry in bundle["entry"])]
    resources += [inner for resource in resources for inner in resource.get("contained", [])]
    for resource in resources:
        kind = resource["resourceType"]
        found += [f"{kind} lacks {name}" for name in sorted(REQUIRED[kind] - resource.keys())]
        if kind in STATUS and resource.get("status") not in STATUS[kind]:
            found.append(f"{kind} has the status {resource.get('status')}")
        for (owner, name), needed in NESTED.items():
            if owner == kind:
                found += [
                    f"{kind}.{name} lacks {sorted(needed - part.keys())}"
                    for part in resource.get(name, [])
                    if needed - part.keys()
                ]
        inner = {f"#{one['id']}" for one in resource.get("contained", [])}
        asked = set(_references(resource)) if kind != "Bundle" else set()
        found += [f"{kind} refers to {name}, which is nowhere" for name in sorted(asked - places - inner)]
        found += [f"{kind} contains {name} without referring to it (dom-3)" for name in sorted(inner - asked)]
        found += [f"{kind} has an empty element" for _ in _empty(resource)]
    return found


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "reference" in part:
            yield part["reference"]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _empty(part: Any) -> Iterator[Any]:
    """Yield values that JSON of FHIR must not have: "", [], {} and null."""
    if part in ("", [], {}, None):
        yield part
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _empty(value)
