"""What serinus.toml may say of who calls an endpoint, and through what."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from infra.settings.access_values import MOST_AUDIENCES, MOST_SCOPES, check_issuer
from infra.settings.table import TABLE, allowed

#: The API in front: API Gateway's REST API or its HTTP API.
Front = Literal["rest", "http"]
#: What a caller must show.
Auth = Literal["api_key", "iam", "jwt", "public"]

_Word = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^\S+$")]


class JwtSettings(BaseModel):
    """Whose tokens are taken. Only with auth = "jwt", which needs issuer and audience."""

    model_config = TABLE

    issuer: Annotated[
        str | None,
        AfterValidator(lambda issuer: check_issuer(issuer) if issuer is not None else None),
        Field(json_schema_extra=allowed('an address such as "https://login.example.com/tenant"')),
    ] = None
    """Who signs the tokens: what their `iss` says, to the letter, and where their keys are found."""

    audience: Annotated[
        tuple[_Word, ...],
        Field(
            strict=False,
            max_length=MOST_AUDIENCES,
            json_schema_extra=allowed(f"a list of up to {MOST_AUDIENCES} texts without spaces"),
        ),
    ] = ()
    """Whom the tokens are for: one of these must be a token's `aud`, or its `client_id` where it has no `aud`."""

    scopes: Annotated[
        tuple[_Word, ...],
        Field(
            strict=False,
            max_length=MOST_SCOPES,
            json_schema_extra=allowed(f"a list of up to {MOST_SCOPES} texts without spaces"),
        ),
    ] = ()
    """What the tokens must allow: one of these at least; empty, a good token is enough."""
