"""Settings of who is notified, and of the dashboard: one set for all endpoints of an environment.

Whatever they switch on belongs to the environment's shared stack, since it is billed whether it is used or not.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from serinus.infra.settings.rules import check_email
from serinus.infra.settings.table import KEY_ARN, TABLE, allowed

Email = Annotated[str, AfterValidator(check_email)]

_GUID = r"^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"


class SlackSettings(BaseModel):
    """A channel of Slack. An administrator authorizes the workspace once, in the console of Amazon Q Developer in
    chat applications."""

    model_config = TABLE

    workspace_id: Annotated[
        str, Field(pattern=r"^[0-9A-Z]{1,255}$", json_schema_extra=allowed('an id such as "T0123456789"'))
    ]
    """Id of the workspace."""

    channel_id: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9]{1,255}$", json_schema_extra=allowed('an id such as "C0123456789"'))
    ]
    """Id of the channel: the end of its link."""


class TeamsSettings(BaseModel):
    """A channel of Microsoft Teams. An administrator authorizes the team once, in the console of Amazon Q
    Developer in chat applications."""

    model_config = TABLE

    tenant_id: Annotated[
        str, Field(pattern=_GUID, json_schema_extra=allowed("a GUID, the tenantId in the channel's link"))
    ]
    """Id of the tenant."""

    team_id: Annotated[
        str, Field(pattern=_GUID, json_schema_extra=allowed("a GUID, the groupId in the channel's link"))
    ]
    """Id of the team."""

    channel_id: Annotated[
        str,
        Field(pattern=r"^[a-zA-Z0-9_=+/.,-]*%3[aA][a-zA-Z0-9_=+/.,-]*%40[a-zA-Z0-9_=+/.,-]*$", max_length=255,
              json_schema_extra=allowed('an id as in the channel\'s link, such as "19%3Aab12%40thread.tacv2"')),
    ]  # fmt: skip
    """Id of the channel, encoded as in its link."""


class OperationsSettings(BaseModel):
    """Who is notified of alarms and releases, and the dashboard: one stack for all endpoints of an environment,
    which exists only if something here needs it."""

    model_config = TABLE

    emails: Annotated[
        tuple[Email, ...],
        Field(strict=False, json_schema_extra=allowed('a list of addresses such as "ml@example.com"')),
    ] = ()
    """Addresses notified of alarms, the judge's decisions and the ends of releases; each must confirm once."""

    slack: SlackSettings | None = None
    """A Slack channel with the same messages; not in environment `local`."""

    teams: TeamsSettings | None = None
    """A Microsoft Teams channel with the same messages; not in environment `local`."""

    topic: bool = False
    """An encrypted SNS topic with the same messages, for subscribers of your own; emails, slack and teams also
    create it. Its key is billed monthly."""

    encryption_key: Annotated[
        str | None,
        Field(pattern=KEY_ARN, json_schema_extra=allowed("the ARN of a KMS key in the environment's region")),
    ] = None
    """Your key for the topic and the monitor's bucket; it must allow CloudWatch and EventBridge. If unset, one is
    created for the topic, and S3's own encrypts the bucket."""

    dashboard: bool = False
    """One CloudWatch dashboard of all endpoints; AWS bills an account's dashboards beyond the third."""

    @property
    def has_topic(self) -> bool:
        """Whether there is a topic."""
        return self.topic or bool(self.emails) or self.slack is not None or self.teams is not None

    @property
    def needs_stack(self) -> bool:
        """Whether the environment has a shared stack."""
        return self.has_topic or self.dashboard
