"""Settings of explanations: the table's presence switches them on."""

from typing import Annotated

from pydantic import BaseModel, Field

from serinus.infra.settings.table import TABLE


class ExplanationSettings(BaseModel):
    """Serve `POST /explain`: how much each feature moved a prediction. The table switches it on, empty too;
    package the model again, so that its bundle holds rows to compare with. See [Explanations](explanations.md)."""

    model_config = TABLE

    max_rows: Annotated[int, Field(ge=1, le=1000)] = 10
    """Maximum number of rows in one request."""

    max_ms: Annotated[int | None, Field(ge=1, le=28_000)] = None
    """Milliseconds after which a request is refused with status 413; if unset, half of timeout_s."""
