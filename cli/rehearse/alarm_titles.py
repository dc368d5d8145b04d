"""The alarms of a release in plain words: CloudWatch's own names carry hashes, and a stack's rollback deletes
the new version's alarms before their descriptions can be read."""

import re

#: By the name that `serinus.infra.alarm_plan` gives an alarm.
TITLES = {
    "Verdict": "Roll-back verdict",
    "Errors": "Errors on the new version",
    "Crashes": "Crashes of the new version",
    "Latency": "Slow responses from the new version",
    "Throttles": "Throttled requests",
    "Silence": "The judge reports nothing",
}
#: A name in CodeDeploy's message about the alarms that stopped a deployment.
_NAMED = re.compile(r"<([^<>]+)>")
#: The name that CloudFormation makes of the construct's path, which ends in the planned name and a hash.
_OURS = re.compile(rf"-Alarms({'|'.join(TITLES)})[0-9A-Za-z]*-[0-9A-Za-z]+$")


def title(name: str) -> str:
    """The title of CloudWatch's alarm ``name``; the name itself if it is not one of a release's."""
    match = _OURS.search(name)
    return TITLES[match[1]] if match else name


def named_in(message: str) -> list[str]:
    """The names of the alarms that CodeDeploy's ``message`` says have stopped a deployment."""
    return _NAMED.findall(message)


def plain_message(message: str) -> str:
    """CodeDeploy's ``message``, shortened to the alarms in plain words if it names any."""
    names = named_in(message)
    return f"alarm: {'; '.join(title(name) for name in names)}" if names else message
