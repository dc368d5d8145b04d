"""Settings of what the monitor watches of an endpoint, each with what it does to false alarms and to delay."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from serinus.infra.settings.table import TABLE, allowed

Season = Literal["day", "week", "none"]
Rows = Literal["clustered", "independent"]


class MonitorSettings(BaseModel):
    """Each hour the monitor compares what the endpoint counted with the sample that the model was packaged with.
    By default, at most one month in a hundred has a false alarm."""

    model_config = TABLE

    enabled: bool = True
    """Count inputs and predictions, and compare them. Costs about $0.40 a month for each endpoint, and $0.32 for
    all of an environment. Changing it is a release. Default in environments `dev` and `local`: false."""

    season: Season = "day"
    """Cycle that traffic repeats: its changes within a cycle are no drift. A longer one means later news: small
    drift is found at the end of a cycle, large drift within hours. With "none", a daily rhythm alarms falsely."""

    rows: Rows = "clustered"
    """Whether rows that arrive together are alike (a customer's batch, a retry). With "independent" and season
    "none", small drift is found within hours, but rows that are alike then alarm falsely."""

    ignore: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        Field(strict=False, json_schema_extra=allowed('a list of the model\'s columns such as "customer_id"')),
    ] = ()
    """Columns that are not compared, such as ids and dates, whose new values are no drift but alarm each time. The
    fewer the columns, the sooner drift in one of them is found."""
