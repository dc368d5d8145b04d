"""Writes the tables in docs/offline.md: AWS's rules from the conformance tests, and the readings from their class.

`--check` only compares. A test is a rule: the first line of its docstring says it (or the test's name does), its
last names its page (`Source: URL`), and a line `Differs: ...` says where this cloud is not like AWS.
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from serinus.offline.core.readings import NOT_DOCUMENTED, Doubt, Readings

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "offline.md"
TESTS = ROOT / "tests" / "offline" / "conformance"
BEGIN, END = "<!-- rules: made by scripts/offline_docs.py -->", "<!-- end of rules -->"
BEGIN_READINGS, END_READINGS = "<!-- readings: made by scripts/offline_docs.py -->", "<!-- end of readings -->"
SOURCE = re.compile(r"^\s*Source: (https?://\S+)\s*$", re.MULTILINE)
DIFFERS = re.compile(r"^\s*Differs: (.+)$", re.MULTILINE)
SERVICES = {
    "apigateway": "API Gateway (REST APIs)",
    "apigatewayv2": "API Gateway (HTTP APIs)",
    "applicationautoscaling": "Application Auto Scaling",
    "cloudformation": "CloudFormation",
    "cloudwatch": "CloudWatch",
    "codedeploy": "CodeDeploy",
    "events": "EventBridge",
    "iam": "IAM",
    "lambda": "Lambda",
    "logs": "CloudWatch Logs",
    "signatures": "Signatures of calls",
    "sns": "SNS",
    "stepfunctions": "Step Functions",
    "wafv2": "WAF",
}
#: Words of test names as they are written.
WRITTEN = {
    "aws": "AWS",
    "codedeploy": "CodeDeploy",
    "cloudwatch": "CloudWatch",
    "dns": "DNS",
    "emf": "EMF",
    "http": "HTTP",
    "iam": "IAM",
    "json": "JSON",
    "kb": "KB",
    "mb": "MB",
    "s3": "S3",
    "snapstart": "SnapStart",
    "sns": "SNS",
    "sqs": "SQS",
    "ssm": "SSM",
    "vpc": "VPC",
    "yaml": "YAML",
}
#: What a test says that tries whether something is refused by name.
REFUSALS = ('"NotImplemented"', "does not model", "== 501")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of AWS: ``stand`` is modelled, refused or differs."""

    service: str
    text: str
    stand: str
    source: str


class Unsourced(Exception):
    """Tests that do not say where their rule comes from."""


def rules(folder: Path) -> list[Rule]:
    """The rules of every test below ``folder``; raises `Unsourced` naming the tests without a page."""
    found, unsourced = [], []
    for path in sorted(folder.rglob("test_*.py")):
        service = SERVICES[path.stem.removeprefix("test_").split("_")[0]]
        code = path.read_text()
        for test in tests_of(ast.parse(code)):
            docstring = ast.get_docstring(test) or ""
            source = SOURCE.search(docstring)
            if source is None:
                unsourced.append(f"{path.name}: {test.name}")
            else:
                stand = stand_of(test.name, docstring, ast.get_source_segment(code, test) or "")
                found.append(Rule(service, text_of(test.name, docstring), stand, source[1]))
    if unsourced:
        raise Unsourced("\n".join(unsourced))
    return found


def tests_of(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def text_of(name: str, docstring: str) -> str:
    """The rule as a sentence: the docstring's first line, or the test's name spelled out."""
    first = docstring.strip().split("\n")[0]
    if first and not first.startswith("Source:"):
        return first.rstrip(".")
    spelled = name.removeprefix("test_").replace("_s_", "'s_").split("_")
    words = " ".join(WRITTEN.get(word, word) for word in spelled)
    return words[0].upper() + words[1:]


def stand_of(name: str, docstring: str, code: str) -> str:
    differs = DIFFERS.search(docstring)
    if differs is not None:
        return f"differs: {differs[1].rstrip('.')}"
    refused = name.endswith("_by_name") or any(sign in code for sign in REFUSALS)
    refused = refused or "modelled; the others are refused" in docstring
    return "refused" if refused else "modelled"


def written(found: Sequence[Rule]) -> str:
    """The tables, one a service, after a line of counts."""
    parts = [f"{len(found)} rules: {counts(found)}.\n"]
    for service in sorted({rule.service for rule in found}):
        own = [rule for rule in found if rule.service == service]
        rows = [f"| {escaped(r.text)} | {escaped(r.stand)} | [{page_name(r.source)}]({r.source}) |" for r in own]
        head = f"### {service}\n\n{len(own)} rules: {counts(own)}.\n\n| rule | here | AWS's page |\n|---|---|---|"
        parts.append("\n".join([head, *rows]) + "\n")
    return "\n".join(parts)


def readings_table() -> str:
    """The table of readings, in the order of their class."""
    rows = [
        f"| `{doubt.name}` | {doubt.meaning} | {choices_of(doubt)} | {source_of(doubt)} |"
        for doubt in Readings.doubts()
    ]
    return "\n".join(["| name | what it decides | values | AWS |", "|---|---|---|---|", *rows]) + "\n"


def choices_of(doubt: Doubt) -> str:
    """The values, the default in bold type."""
    if doubt.durations:
        return f"seconds, or `30..120` for a uniform distribution; **`{doubt.default}`**"
    return ", ".join(f"**`{value}`**" if value == doubt.default else f"`{value}`" for value in doubt.values)


def source_of(doubt: Doubt) -> str:
    if doubt.page == NOT_DOCUMENTED:
        return f"{NOT_DOCUMENTED}: {doubt.says}"
    return f"{doubt.says} ([{page_name(doubt.page)}]({doubt.page}))"


def counts(found: Sequence[Rule]) -> str:
    stands = [rule.stand.split(":")[0] for rule in found]
    counted = {stand: stands.count(stand) for stand in ("modelled", "differs", "refused")}
    return ", ".join(f"{count} {stand}" for stand, count in counted.items() if count)


def page_name(url: str) -> str:
    path = url.split("#")[0].rstrip("/")
    return path.rsplit("/", 1)[-1].removesuffix(".html")


def escaped(text: str) -> str:
    return text.replace("|", "\\|")


def replaced(page: str, begin: str, content: str, end: str) -> str:
    """``page`` with ``content`` between the lines ``begin`` and ``end``."""
    before, after = page.split(begin)[0], page.split(end)[1]
    return f"{before}{begin}\n\n{content}\n{end}{after}"


def main() -> int:
    """0 when the page is written or up to date, 1 with the reason on stderr otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the page is stale")
    parser.add_argument("--tests", type=Path, default=TESTS)
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args()
    try:
        tables = written(rules(arguments.tests))
    except Unsourced as error:
        sys.stderr.write(f"these tests name no AWS page; end their docstrings with `Source: URL`:\n{error}\n")
        return 1
    page = arguments.page.read_text()
    made = replaced(page, BEGIN, tables, END)
    made = replaced(made, BEGIN_READINGS, readings_table(), END_READINGS)
    if arguments.check and made != page:
        sys.stderr.write(f"{arguments.page} is stale: run `python scripts/offline_docs.py`\n")
        return 1
    arguments.page.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
