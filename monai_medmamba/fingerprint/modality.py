"""Guesses how the images were made: from their tags, else from names, else from the looks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .measure import Measurement

TAGS = {
    "CT": "computed tomography",
    "MR": "magnetic resonance",
    "US": "ultrasound",
    "CR": "radiography",
    "DX": "radiography",
    "MG": "mammography",
    "XA": "angiography",
    "RF": "fluoroscopy",
    "ES": "endoscopy",
    "OP": "fundus photography",
    "OPT": "optical coherence tomography",
    "SM": "microscopy",
    "GM": "microscopy",
    "PT": "positron emission tomography",
    "NM": "nuclear medicine",
    "XC": "photography",
}
"""Modality (DICOM PS3.3, C.7.3.1.1.1) in words; others are passed on as they are."""

WORDS = {
    "endoscopy": "endo endoscopy colonoscopy gastroscopy polyp polyps kvasir mucosa cecum pylorus esophagitis",
    "ultrasound": "us ultrasound busi breastmnist sonography echo fetal fetus",
    "radiography": "xray cxr radiograph radiography chestmnist pneumonia pneumoniamnist covid tuberculosis",
    "dermatoscopy": "derm skin melanoma nevus dermamnist isic ham10000 lesion pad",
    "fundus photography": "fundus retina retinamnist retinopathy glaucoma aptos messidor",
    "optical coherence tomography": "oct octmnist drusen cnv dme",
    "microscopy": "histology histo pathology pathmnist bloodmnist blood tissuemnist wsi cell cells microscopy breakhis "
    "synapsemnist",
    "computed tomography": "ct organamnist organcmnist organsmnist organmnist nodulemnist adrenalmnist fracturemnist "
    "hounsfield",
    "magnetic resonance": "mri mr t1 t2 flair mni mni152 icbm152 bold vesselmnist",
    "mammography": "mammo mammography mammogram",
}


def guess_modality(name: str, labels: Iterable[str], measured: Mapping[str, Measurement]) -> dict[str, Any]:
    """Guesses the modality of a data set.

    Tags of DICOM files decide where there are any. Words in the names of the data set and its classes come next. Only
    then the looks are taken: colour, surround, brightness and unit, which tell some kinds apart and no more.

    Args:
        name: Name of the data set.
        labels: Names of its classes.
        measured: Measurements by path.

    Returns:
        ``guess`` (``mixed`` for several, ``unknown`` for none), ``confidence`` (``certain``, ``likely`` or ``unsure``)
        and ``evidence``, a list of sentences.
    """
    all_ = list(measured.values())
    tags = Counter(str(m.tags["modality"]) for m in all_ if m.tags.get("modality"))
    if tags:
        kinds = list(dict.fromkeys(TAGS.get(tag, tag) for tag, _ in tags.most_common()))
        said = ", ".join(f"{tag} {count}" for tag, count in tags.most_common())
        return _answer(kinds, "certain", [f"The DICOM files say so: {said}."])
    found: dict[str, list[str]] = {}
    for text in (name, *labels):
        words = set(re.findall(r"[a-z]+[0-9]*", re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower()))
        words |= {word.rstrip("0123456789") for word in words}
        for kind, known in WORDS.items():
            hits = sorted(words & set(known.split()))
            if hits:
                found.setdefault(kind, []).append(f"The name {text!r} holds {', '.join(map(repr, hits))}.")
    if found:
        return _answer(list(found), "likely", [sentence for sentences in found.values() for sentence in sentences])
    return _by_looks(all_)


def _answer(kinds: list[str], confidence: str, evidence: list[str]) -> dict[str, Any]:
    guess = kinds[0] if len(kinds) == 1 else "mixed"
    return {"guess": guess, "kinds": kinds, "confidence": confidence, "evidence": evidence}


def _by_looks(all_: list[Measurement]) -> dict[str, Any]:
    if not all_:
        return _answer(["unknown"], "unsure", ["No image could be read."])
    own_units = [m for m in all_ if not m.unit]
    if len(own_units) > len(all_) / 2:
        if np.median([m.low for m in own_units]) <= -500:
            return _answer(
                ["computed tomography"], "likely", ["Values reach below -500, as Hounsfield units of air do."]
            )
        return _answer(["magnetic resonance"], "unsure", ["Grey values with a unit of their own, none like air in CT."])
    coloured = sum(m.colour for m in all_) > len(all_) / 2
    share = float(np.median([m.share for m in all_]))
    bright = float(np.median([np.mean(m.view_mean) for m in all_]))
    if not coloured:
        facts = f"Grey images, mean {bright:.2f}, {share:.0%} of them inside the field of view"
        if bright < 0.35:
            return _answer(["ultrasound"], "unsure", [f"{facts}: dark on the whole."])
        return _answer(["radiography"], "unsure", [f"{facts}: bright on the whole."])
    red, green, blue = np.median([m.view_mean for m in all_ if m.colour], axis=0)
    facts = f"Colour images, red {red:.2f}, green {green:.2f}, blue {blue:.2f}, {share:.0%} inside the field of view"
    if bright > 0.6 and green <= min(red, blue):
        return _answer(["microscopy"], "unsure", [f"{facts}: bright and purple, as stained tissue is."])
    if share < 0.95 and blue < 0.4 * red:
        kinds = ["fundus photography"] if 0.6 < share < 0.85 and blue < 0.25 * red else ["endoscopy"]
        return _answer(kinds, "unsure", [f"{facts}: red in a dark surround."])
    if red > 1.2 * max(green, blue):
        kinds = ["endoscopy"] if bright < 0.5 else ["dermatoscopy"]
        return _answer(kinds, "unsure", [f"{facts}: reddish."])
    return _answer(["unknown"], "unsure", [f"{facts}: nothing typical."])
