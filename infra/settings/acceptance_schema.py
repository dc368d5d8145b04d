"""Settings of a model's acceptance test, which `serinus package` reads and the bundle carries to each release."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from serinus.infra.settings.table import TABLE, allowed


class AcceptanceSettings(BaseModel):
    """Rules on predictions, beside the rows with required answers in `acceptance.csv`. Checked when the model is
    packaged and again before a new version gets traffic. See [Acceptance](guide.md#an-acceptance-test)."""

    model_config = TABLE

    monotone: Annotated[
        dict[str, Literal["increasing", "decreasing"]],
        Field(json_schema_extra=allowed('a table of features, each "increasing" or "decreasing"')),
    ] = {}
    """Features with which the prediction, or the probability of the second of two labels, must rise or fall. Takes
    effect when the model is packaged again."""

    invariant: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        Field(strict=False, json_schema_extra=allowed('a list of features such as ["gender"]')),
    ] = ()
    """Features that must not change a prediction. Takes effect when the model is packaged again."""
