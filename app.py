"""The CDK app of this checkout: synthesizes the endpoints of serinus.toml beside it."""

from pathlib import Path

from serinus.infra.synth import main

main(Path(__file__).resolve().parent)
