"""Alarms by what they watch, not by what CloudFormation called them."""

import pytest

from serinus.cli.rehearse import alarm_titles
from serinus.infra.alarm_plan import plan_alarms
from serinus.infra.settings import load_settings

NAME = "quickstart-dev-tumour-AlarmsErrors5cc36965508d89B003FD-Y7NBQG2IV39M"
MESSAGE = (
    "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the "
    f"affected deployments have been stopped. Activated alarms: <{NAME}>"
)


def test_codedeploys_message_is_shortened_to_plain_words() -> None:
    assert alarm_titles.named_in(MESSAGE) == [NAME]
    assert alarm_titles.plain_message(MESSAGE) == "alarm: Errors on the new version"


def test_other_messages_and_other_peoples_alarms_stay_as_they_are() -> None:
    assert alarm_titles.plain_message("The hook failed.") == "The hook failed."
    assert alarm_titles.title("pager-duty") == "pager-duty"


@pytest.mark.parametrize("strategy", ["canary", "linear", "blue_green", "all_at_once"])
def test_every_alarm_of_a_release_has_a_title(strategy: str, tmp_path) -> None:
    settings = tmp_path / "serinus.toml"
    settings.write_text(f'[project]\nname = "shop"\n[endpoint.churn.rollout]\nstrategy = "{strategy}"\n')
    planned = plan_alarms(load_settings(settings, "dev").endpoints[0].settings)
    assert planned
    assert {one.name for one in planned} <= alarm_titles.TITLES.keys()
