"""Reporting checklists of the field as skeletons: item, short title, and the topic of the run that fills it.

The titles are short names of ours; the wording that counts is that of the publications.
"""

from __future__ import annotations

from typing import NamedTuple


class Item(NamedTuple):
    """One item of a checklist.

    Args:
        number: as in the publication.
        title: what it asks for, in short.
        topic: of `report_facts`, which fills it; None where only the authors know.

    Example:
        >>> Item("1", "Title", None).number
        '1'
    """

    number: str
    title: str
    topic: str | None = None


class Checklist(NamedTuple):
    """A checklist.

    Args:
        name: what it is called.
        source: the publication whose wording counts.
        sections: heading to items.

    Example:
        >>> sum(len(items) for items in CHECKLISTS["claim_2024"].sections.values())
        44
    """

    name: str
    source: str
    sections: dict[str, tuple[Item, ...]]


CLAIM = Checklist(
    "CLAIM 2024",
    "Tejani et al., Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024 Update, Radiology: "
    "Artificial Intelligence 6(4), e240300, doi:10.1148/ryai.240300",
    {
        "Title and abstract": (Item("1", "Title names the kind of AI", "title"), Item("2", "Structured summary")),
        "Introduction": (Item("3", "Background and clinical role", "intended_use"), Item("4", "Aims and hypotheses")),
        "Study design": (Item("5", "Prospective or retrospective"), Item("6", "Goal of the study")),
        "Data": (
            Item("7", "Sources of data", "data"),
            Item("8", "Inclusion and exclusion"),
            Item("9", "Preprocessing", "training"),
            Item("10", "Selection of parts of the data"),
            Item("11", "De-identification"),
            Item("12", "Missing data"),
            Item("13", "Image acquisition"),
        ),
        "Reference standard": (
            Item("14", "Definition", "outcome"),
            Item("15", "Reasons for it"),
            Item("16", "Who annotated"),
            Item("17", "Annotation of the test set"),
            Item("18", "Variability between and within readers"),
        ),
        "Partitions": (
            Item("19", "How images were assigned", "partitions"),
            Item("20", "Level at which partitions are disjoint", "partitions"),
        ),
        "Testing data": (Item("21", "Sample size"),),
        "Model": (
            Item("22", "Structure, inputs and outputs", "model"),
            Item("23", "Software", "software"),
            Item("24", "Initial weights"),
        ),
        "Training": (
            Item("25", "Procedure and settings", "training"),
            Item("26", "How the final model was chosen", "training"),
            Item("27", "Ensembling"),
        ),
        "Evaluation": (
            Item("28", "Metrics", "metrics"),
            Item("29", "Significance and uncertainty", "uncertainty"),
            Item("30", "Robustness"),
            Item("31", "Explanation of predictions"),
            Item("32", "Evaluation on internal data", "performance"),
            Item("33", "Evaluation on external data"),
            Item("34", "Trial registration"),
        ),
        "Results": (
            Item("35", "Numbers included and excluded", "data"),
            Item("36", "Demographics by partition", "subgroups"),
            Item("37", "Performance", "performance"),
            Item("38", "Estimates with their precision", "uncertainty"),
            Item("39", "Analysis of failures"),
        ),
        "Discussion": (Item("40", "Limitations", "limits"), Item("41", "Meaning for practice")),
        "Other information": (
            Item("42", "Protocol"),
            Item("43", "Availability of software, model and data"),
            Item("44", "Funding and role of funders"),
        ),
    },
)

TRIPOD = Checklist(
    "TRIPOD+AI",
    "Collins et al., TRIPOD+AI statement: updated guidance for reporting clinical prediction models that use "
    "regression or machine learning methods, BMJ 385, e078378 (2024), doi:10.1136/bmj-2023-078378",
    {
        "Title and abstract": (Item("1", "Title", "title"), Item("2", "Abstract")),
        "Introduction": (
            Item("3a", "Healthcare context"),
            Item("3b", "Target population and users", "intended_use"),
            Item("3c", "Known inequalities"),
            Item("4", "Objectives"),
        ),
        "Methods": (
            Item("5a", "Sources of data", "data"),
            Item("5b", "Dates of collection"),
            Item("6a", "Setting"),
            Item("6b", "Eligibility"),
            Item("6c", "Treatments"),
            Item("7", "Preparation of data", "training"),
            Item("8a", "Outcome and its assessment", "outcome"),
            Item("8b", "Assessors of the outcome"),
            Item("8c", "Blinding of the assessment"),
            Item("9a", "Choice of predictors"),
            Item("9b", "Definition of predictors"),
            Item("9c", "Assessors of predictors"),
            Item("10", "Sample size"),
            Item("11", "Missing data"),
            Item("12a", "Use of data for development and evaluation", "partitions"),
            Item("12b", "Handling of predictors"),
            Item("12c", "Type of model and how it was built", "training"),
            Item("12d", "Differences between clusters", "uncertainty"),
            Item("12e", "Measures of performance", "metrics"),
            Item("12f", "Updating after evaluation", "calibration"),
            Item("12g", "How predictions were computed", "output"),
            Item("13", "Class imbalance"),
            Item("14", "Fairness"),
            Item("15", "Output of the model", "output"),
            Item("16", "Differences between training and evaluation data"),
            Item("17", "Ethical approval"),
        ),
        "Open science": (
            Item("18a", "Funding"),
            Item("18b", "Conflicts of interest"),
            Item("18c", "Protocol"),
            Item("18d", "Registration"),
            Item("18e", "Availability of data"),
            Item("18f", "Availability of code"),
        ),
        "Involvement": (Item("19", "Patients and public"),),
        "Results": (
            Item("20a", "Flow of participants", "data"),
            Item("20b", "Characteristics of participants"),
            Item("20c", "Development beside evaluation data", "partitions"),
            Item("21", "Participants and events in each analysis", "data"),
            Item("22", "Full specification of the model", "model"),
            Item("23a", "Performance with intervals, by subgroup too", "performance"),
            Item("23b", "Differences between clusters", "subgroups"),
            Item("24", "Results of updating", "calibration"),
        ),
        "Discussion": (
            Item("25", "Interpretation"),
            Item("26", "Limitations", "limits"),
            Item("27a", "Poor or missing input"),
            Item("27b", "Skill that use requires"),
            Item("27c", "Next steps"),
        ),
    },
)

CHECKLISTS = {"claim_2024": CLAIM, "tripod_ai": TRIPOD}
