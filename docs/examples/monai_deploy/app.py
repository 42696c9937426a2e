"""A MONAI Deploy application: DICOM images in, MedMamba's classes out as structured reports.

The model folder holds ``model.safetensors`` of a training and, if wanted, ``selection.json`` with the SDK's rules for
series and ``codes.csv`` with a code for each class. Not for diagnostic use.
"""

from __future__ import annotations

import logging
from pathlib import Path

from monai.deploy.conditions import CountCondition
from monai.deploy.core import AppContext, Application, Fragment, Operator, OperatorSpec
from monai.deploy.operators.dicom_data_loader_operator import DICOMDataLoaderOperator
from monai.deploy.operators.dicom_series_selector_operator import DICOMSeriesSelectorOperator

from monai_medmamba.dicom import class_codes, describe_algorithm, report_studies, write_reports
from monai_medmamba.discretion import discreet
from monai_medmamba.inference import Outcome, load_classifier, predict

WEIGHTS, RULES, CODES = "model.safetensors", "selection.json", "codes.csv"
SELECTED, CLASSIFIED = "study_selected_series_list", "outcome"

logger = logging.getLogger(__name__)


class ClassifyOperator(Operator):
    """Classifies every image of the selected series.

    Args:
        fragment: The application.
        weights: ``model.safetensors`` of a training, for two-dimensional images.
    """

    def __init__(self, fragment: Fragment, *args: object, weights: Path, **kwargs: object) -> None:
        self._weights = weights
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """Declares the ports."""
        spec.input(SELECTED)
        spec.output(CLASSIFIED)

    def compute(self, op_input: object, op_output: object, context: object) -> None:
        """Reads the files of the series, so that pixels go the way they went in training."""
        del context
        images = [
            str(instance.get_native_sop_instance().filename)
            for study in op_input.receive(SELECTED)
            for selected in study.selected_series
            for instance in selected.series.get_sop_instances()
        ]
        if not images:
            raise ValueError(f"no series was selected: name others in the model folder's {RULES}")
        outcome = predict(load_classifier(self._weights), list(dict.fromkeys(images)))
        for failure in outcome.failures:  # without the file's name, which may be the patient's
            logger.error("an image could not be classified: %s", failure.reason)
        if not outcome.predictions.images:
            raise ValueError(f"none of {len(images)} images could be classified; the reasons stand above")
        logger.warning("%d of %d images classified", len(outcome.predictions.images), len(images))
        op_output.emit(outcome, CLASSIFIED)


class ReportOperator(Operator):
    """Writes a structured report (TID 1500) for each study.

    Args:
        fragment: The application.
        weights: What the images were classified with; the reports name its content.
        codes: A table with a code for each class, or None for codes of a private scheme.
        output_folder: Where the reports go.
    """

    def __init__(
        self,
        fragment: Fragment,
        *args: object,
        weights: Path,
        codes: Path | None,
        output_folder: Path,
        **kwargs: object,
    ) -> None:
        self._weights, self._codes, self._output_folder = weights, codes, output_folder
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """Declares the port."""
        spec.input(CLASSIFIED)

    def compute(self, op_input: object, op_output: object, context: object) -> None:
        """Gathers the images of each study, and writes."""
        del op_output, context
        outcome: Outcome = op_input.receive(CLASSIFIED)
        found = outcome.predictions
        reports, missed = report_studies(
            found.images,
            found.probabilities,
            class_codes(found.class_names, self._codes),
            describe_algorithm(self._weights),
            several_labels=hasattr(found, "found"),
        )
        for one in missed:
            logger.error("an image could not be part of a report: %s", one.reason)
        if not reports:
            raise ValueError("no report was written; the reasons stand above")
        self._output_folder.mkdir(parents=True, exist_ok=True)
        logger.warning("%d reports written", len(write_reports(self._output_folder, reports)))


class MedMambaApplication(Application):
    """Loads studies, selects series, classifies their images, and writes reports."""

    def compose(self) -> None:
        """Joins the operators."""
        context: AppContext = Application.init_app_context(self.argv)
        if "-l" not in self.argv and "--log-level" not in self.argv:
            logging.getLogger().setLevel(logging.WARNING)  # at INFO the SDK logs what headers say of patients
        model, rules = Path(context.model_path), ""
        folder = model if model.is_dir() else model.parent
        weights = folder / WEIGHTS if model.is_dir() else model
        if (folder / RULES).is_file():
            rules = (folder / RULES).read_text(encoding="utf-8")
        codes = folder / CODES if (folder / CODES).is_file() else None

        loader = DICOMDataLoaderOperator(
            self, CountCondition(self, 1), input_folder=Path(context.input_path), name="load"
        )
        selector = DICOMSeriesSelectorOperator(self, rules=rules, all_matched=True, name="select")
        classifier = ClassifyOperator(self, weights=weights, name="classify")
        reporter = ReportOperator(
            self, weights=weights, codes=codes, output_folder=Path(context.output_path), name="report"
        )
        self.add_flow(loader, selector, {("dicom_study_list", "dicom_study_list")})
        self.add_flow(selector, classifier, {(SELECTED, SELECTED)})
        self.add_flow(classifier, reporter, {(CLASSIFIED, CLASSIFIED)})


if __name__ == "__main__":
    with discreet():  # pydicom's warnings quote what headers hold
        MedMambaApplication().run()
