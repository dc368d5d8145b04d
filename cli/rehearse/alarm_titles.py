"""The alarms of a release in plain words: CloudWatch's own names carry hashes, and a stack's rollback takes the
new version's alarms away before anyone could ask for their descriptions."""

import re

#: By the name that `serinus.infra.alarm_plan` gives an alarm.
TITLES = {
    "Verdict": "Roll back, says the judge",
    "Errors": "Errors on the new version",
    "Latency": "Slow answers from the new version",
    "Throttles": "Refused requests on the new version",
    "Silence": "The judge is silent",
}
#: A name in CodeDeploy's message about the alarms that stopped a deployment.
_NAMED = re.compile(r"<([^<>]+)>")
#: The name that CloudFormation makes of the construct's path, which ends in the planned name and a hash.
_OURS = re.compile(rf"-Alarms({'|'.join(TITLES)})[0-9A-Za-z]*-[0-9A-Za-z]+$")


def title(name: str) -> str:
    """What the alarm called ``name`` in CloudWatch watches; the name itself where it is none of a release's."""
    found = _OURS.search(name)
    return TITLES[found[1]] if found else name


def named_in(message: str) -> list[str]:
    """The names of the alarms that CodeDeploy's ``message`` says have stopped a deployment."""
    return _NAMED.findall(message)


def plain(message: str) -> str:
    """CodeDeploy's ``message``, shortened to the alarms in plain words where it names some."""
    names = named_in(message)
    return f"alarm: {'; '.join(title(name) for name in names)}" if names else message
