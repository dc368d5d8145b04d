"""What every graph of a model is compared with: the source, its sample and outputs, and rows with labels."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.signature import Feature
from serinus.modelpack.acceptance import THOROUGH, AcceptanceBuilder, AcceptanceTest, read_rules
from serinus.modelpack.features import describe_features
from serinus.modelpack.holdout import can_be_scored
from serinus.modelpack.labelled import SAMPLE_SHARE, Labelled
from serinus.modelpack.monitored import (
    HOLDOUT,
    SAMPLE,
)
from serinus.modelpack.parity import Expected, predict_expected
from serinus.modelpack.progress import Progress
from serinus.modelpack.request import PackageRequest
from serinus.modelpack.sample import MAX_ROWS, Sample
from serinus.modelpack.sample_source import fit_sample, read_acceptance, read_holdout, read_rows
from serinus.modelpack.sources import ModelFile, Source

if TYPE_CHECKING:
    from serinus.modelpack.isolation.environment import Environment


@dataclass(frozen=True, slots=True)
class Reference:
    """The loaded model, the sample, and the source's outputs for it, which every graph is compared with."""

    request: PackageRequest
    file: ModelFile
    source: Source
    environment: "Environment | None"
    sample: Sample
    features: tuple[Feature, ...]
    expected: Expected
    acceptance: AcceptanceBuilder
    accepted: AcceptanceTest | None

    @property
    def sample_outputs(self) -> Outputs:
        """The source's outputs for the sample alone, without variants."""
        return {name: values[: self.expected.sample_rows] for name, values in self.expected.outputs.items()}


@dataclass(frozen=True, slots=True)
class HoldoutRows:
    """Labelled rows apart from the sample, and the source's outputs for them."""

    rows: Sample
    outputs: Outputs


def read_reference(
    request: PackageRequest,
    file: ModelFile,
    source: Source,
    environment: "Environment | None",
    progress: Progress,
) -> Reference:
    """The sample, as many rows of it as are used, and the source's outputs. Raises `SampleError` for rows that do
    not fit the model, and `AcceptanceError` where the source itself fails its acceptance test."""
    table = read_rows(request, file, source)
    if len(table) > MAX_ROWS:
        progress.notice(f"the sample has more than {MAX_ROWS} rows; the first {MAX_ROWS} are used.")
    sample = fit_sample(request, file, source, table.head(MAX_ROWS))
    features = describe_features(source, sample)
    expected = predict_expected(source, sample, features)
    outputs = {name: values[: expected.sample_rows] for name, values in expected.outputs.items()}
    acceptance = AcceptanceBuilder(
        read_acceptance(request, file, source, sample),
        read_rules(request.project, request.name),
        sample,
        features,
        outputs,
        source.classes,
        request.tolerance,
    )
    accepted = acceptance.build(*THOROUGH)
    if accepted is not None:
        accepted.require_of(source)
    return Reference(request, file, source, environment, sample, features, expected, acceptance, accepted)


def predict_holdout(reference: Reference) -> HoldoutRows | None:
    """The rows of --holdout and the source's outputs; None without the option."""
    request, source = reference.request, reference.source
    table = read_holdout(request, reference.file, source)
    if table is None:
        return None
    rows = fit_sample(request, reference.file, source, table.head(MAX_ROWS))
    return HoldoutRows(rows, source.predict(rows.frame))


def label_rows(reference: Reference, holdout: HoldoutRows | None) -> Labelled | None:
    """The rows whose labels judge graphs: the holdout's, or else the sample's."""
    request, classes = reference.request, reference.source.classes
    if holdout is not None:
        rows = holdout.rows
        return Labelled(HOLDOUT, rows.frame, rows.target, holdout.outputs, classes, request.max_loss)
    target, outputs = reference.sample.target, reference.sample_outputs
    if target is None or not can_be_scored(outputs, classes, target):
        return None
    allowed = SAMPLE_SHARE * request.max_loss
    return Labelled(SAMPLE, reference.sample.frame, target, outputs, classes, allowed)
