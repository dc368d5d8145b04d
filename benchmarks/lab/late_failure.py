"""A release whose stack fails only after traffic has been shifted, as an API's or a web ACL's change can."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from serinus.cli.rehearse.assemblies import ASSEMBLY
from serinus.cli.rehearse.environment import RehearsalEnvironment

#: A parameter that exists already: a stack cannot create it.
TAKEN = "/rehearsal/taken"


@contextmanager
def release_that_fails_late(environment: RehearsalEnvironment, name: str) -> Iterator[None]:
    """While the block runs, the assembly of release ``name`` has a resource that cannot be created, after the
    alias."""
    environment.target.client("ssm").put_parameter(Name=TAKEN, Value="taken", Type="String", Overwrite=True)
    assembly = environment.workspace.releases[name].project / ASSEMBLY
    before = {path: path.read_text() for path in assembly.glob("*.json")}
    try:
        _spoil(assembly, environment.workspace.endpoint.stack_name)
        yield
    finally:
        for path, text in before.items():
            path.write_text(text)


def _spoil(assembly: Path, stack: str) -> None:
    (path,) = assembly.glob(f"{stack}*.template.json")
    former = sha256(path.read_bytes()).hexdigest()
    template = json.loads(path.read_text())
    (alias,) = (key for key, value in template["Resources"].items() if value["Type"] == "AWS::Lambda::Alias")
    template["Resources"]["Taken"] = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": TAKEN, "Type": "String", "Value": "another"},
        "DependsOn": [alias],
    }
    text = json.dumps(template)
    path.write_text(text)
    # The CLI uploads a template only under a key that the bucket does not hold yet.
    for listing in assembly.glob("*.json"):
        if listing != path:
            listing.write_text(listing.read_text().replace(former, sha256(text.encode()).hexdigest()))
