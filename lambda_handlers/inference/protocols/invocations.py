"""POST /invocations, as in MLflow's scoring server and SageMaker's containers: JSON or CSV, in and out.

https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/#local-inference-server-specification
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from serinus.lambda_handlers.inference import problems
from serinus.lambda_handlers.inference.errors import Refused
from serinus.lambda_handlers.inference.http import INVOCATIONS, Request
from serinus.lambda_handlers.inference.negotiation import choose_media
from serinus.lambda_handlers.inference.predict_response import count_non_finite
from serinus.lambda_handlers.inference.protocols.csv_table import read_table
from serinus.lambda_handlers.inference.protocols.dataframe import read_frame
from serinus.lambda_handlers.inference.protocols.predictions import write_csv, write_json
from serinus.lambda_handlers.inference.scoring import JSON, Response, Scorer, read_media

CSV = "text/csv"


class Invocations:
    """Handles invocations of one model."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    def __call__(self, request: Request) -> Response:
        """Status 200, or a problem document."""
        return self._scorer.guard(INVOCATIONS[1], lambda: self._invoke(request))

    def _invoke(self, request: Request) -> Response:
        scorer, content_type = self._scorer, request.header("content-type")
        media = read_media(content_type, JSON, CSV)
        accept = request.header("accept")
        written = choose_media(accept, (JSON, CSV))
        if written is None:
            raise Refused(problems.not_acceptable(accept or "", JSON, CSV))
        scorer.admit(request.body)
        if media == CSV:
            table = read_table(request.body, content_type or "", scorer.rules, scorer.limits.max_rows)
        else:
            table = read_frame(request.body, scorer.rules)
        outputs = scorer.score(scorer.validate(table))
        write = write_csv if written == CSV else write_json
        headers = {"content-type": "text/csv; charset=utf-8" if written == CSV else JSON, "vary": "accept"}
        return scorer.complete(write(scorer.model.manifest, outputs), headers, count_non_finite(outputs))
