"""What serinus.toml may say of environments that are kept ready."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from serinus.infra.settings.rules import check_schedule
from serinus.infra.settings.table import TABLE, allowed

Count = Annotated[int, Field(ge=1, le=10_000)]


class ProvisionedSettings(BaseModel):
    """Environments kept ready, which cost whether they are asked or not. Only with cold_start = "provisioned"."""

    model_config = TABLE

    environments: Count = 1
    """Environments kept ready, and the least that scaling leaves."""

    maximum: Count | None = None
    """The most that scaling keeps ready; unset, the largest count that is named here."""

    target_percent: Annotated[int | None, Field(ge=10, le=90)] = None
    """Share of the ready environments that may be busy before more are made, up to maximum; unset, none are."""

    schedule: Annotated[
        dict[str, Count],
        AfterValidator(check_schedule),
        Field(json_schema_extra=allowed(
            'a table of times with counts, such as { "cron(0 7 * * ? *)" = 5, "cron(0 19 * * ? *)" = 1 }'
        )),
    ] = {}  # fmt: skip
    """From when on how many environments are kept ready, at the least."""

    timezone: Annotated[
        str, Field(pattern=r"^[A-Za-z]+(/[A-Za-z0-9_+-]+)*$",
                   json_schema_extra=allowed('a time zone such as "Europe/Zurich"'))
    ] = "UTC"  # fmt: skip
    """Of the schedule's times."""

    @property
    def scales(self) -> bool:
        """Whether anything changes the number of environments after deployment."""
        return self.target_percent is not None or bool(self.schedule)

    @property
    def most(self) -> int:
        """The largest number of environments that may be kept ready."""
        return max(self.maximum or 0, self.environments, *self.schedule.values(), 1)
