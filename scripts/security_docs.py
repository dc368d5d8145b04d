"""Writes the table of cdk-nag's acknowledged findings in docs/security.md; `--check` only compares."""

import argparse
import os
import sys
from pathlib import Path

# jsii's banner about Node's age would be the only output.
os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "20"

from serinus.infra.nag import ACKNOWLEDGEMENTS, Acknowledgement

PAGE = Path(__file__).parents[1] / "docs" / "security.md"
BEGIN, END = "<!-- findings: made by scripts/security_docs.py -->", "<!-- end of findings -->"


def table() -> str:
    """One row a finding, sorted by pack and rule."""
    head = "| finding | where | why it is accepted |\n|---|---|---|"
    rows = sorted(row(one) for one in ACKNOWLEDGEMENTS)
    return "\n".join([head, *rows])


def row(one: Acknowledgement) -> str:
    where = ", ".join(f"`{construct}`" for construct in one.constructs)
    return f"| `{one.identity('FUNCTION')}` | {where} | {one.reason} |"


def main() -> int:
    """0 when the page is written or up to date, 1 with the reason on stderr otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the page is stale")
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args()
    page = arguments.page.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    made = f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"
    if arguments.check and made != page:
        sys.stderr.write(f"{arguments.page} is stale: run `python scripts/security_docs.py`\n")
        return 1
    arguments.page.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
