"""Which of a model's outputs an explanation explains, and of which models: packaging refuses the others."""

from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.signature import Output, Signature

#: A row's explanation takes evaluations of the model in proportion to its features.
MOST_FEATURES = 1000


def explained_output(signature: Signature) -> Output:
    """The probabilities, [rows, classes], or else the one value of a row. Raises `ContractError` with the reason
    where there is neither, and for features that explanations do not cover."""
    shaped = [feature.name for feature in signature.features if feature.shape]
    if shaped:
        raise ContractError(f"feature {shaped[0]} is an array; only single values are explained")
    if len(signature.features) > MOST_FEATURES:
        raise ContractError(
            f"the model has {len(signature.features)} features; at most {MOST_FEATURES} are explained"
        )
    probabilities = [output for output in signature.outputs if output.role == "probabilities"]
    values = [output for output in signature.outputs if output.role == "value"]
    if len(probabilities) == 1 and signature.classes is not None:
        if probabilities[0].shape[1:] != (len(signature.classes),):
            raise ContractError("the model returns several sets of classes a row; one is explained")
        return probabilities[0]
    if not probabilities and len(values) == 1:
        if values[0].shape[1:] not in ((), (1,)):
            raise ContractError(f"the model returns {values[0].shape[-1]} values a row; one is explained")
        return values[0]
    roles = ", ".join(sorted({output.role for output in signature.outputs}))
    raise ContractError(f"the model returns neither probabilities nor one value a row, but: {roles}")
