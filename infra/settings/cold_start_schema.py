"""Settings of provisioned concurrency."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from serinus.infra.settings.rules import check_schedule
from serinus.infra.settings.table import TABLE, allowed

Count = Annotated[int, Field(ge=1, le=10_000)]


class ProvisionedSettings(BaseModel):
    """Environments kept ready, which are billed whether used or not. Only with cold_start = "provisioned"."""

    model_config = TABLE

    environments: Count = 1
    """Environments kept ready; scaling never goes below."""

    maximum: Count | None = None
    """Maximum number of environments that scaling keeps ready; if unset, the largest count in this table."""

    target_percent: Annotated[int | None, Field(ge=10, le=90)] = None
    """Percentage of ready environments in use above which more are added, up to maximum, and below which they are
    removed again while requests arrive; if unset, the number follows the schedule only."""

    schedule: Annotated[
        dict[str, Count],
        AfterValidator(check_schedule),
        Field(json_schema_extra=allowed(
            'a table of times with counts, such as { "cron(0 7 * * ? *)" = 5, "cron(0 19 * * ? *)" = 1 }'
        )),
    ] = {}  # fmt: skip
    """Number of ready environments from each of these times on; with target_percent, the minimum number."""

    timezone: Annotated[
        str, Field(pattern=r"^[A-Za-z]+(/[A-Za-z0-9_+-]+)*$",
                   json_schema_extra=allowed('a time zone such as "Europe/Zurich"'))
    ] = "UTC"  # fmt: skip
    """Time zone of the schedule."""

    @property
    def scales(self) -> bool:
        """Whether anything changes the number of environments after deployment."""
        return self.target_percent is not None or bool(self.schedule)

    @property
    def most(self) -> int:
        """The largest number of environments that may be kept ready."""
        return max(self.maximum or 0, self.environments, *self.schedule.values(), 1)
