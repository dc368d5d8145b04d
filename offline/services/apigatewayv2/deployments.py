"""Deployments: immutable snapshots that stages without automatic deployments serve."""

from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request
from serinus.offline.services.apigatewayv2.operations import ApiGatewayV2Base, answered, changed, page, replace
from serinus.offline.services.apigatewayv2.store import HttpDeployment, not_found


class HttpDeploymentOperations(ApiGatewayV2Base):
    async def create_deployment(self, call: Call) -> Document:
        api = self.api(call)
        if not api.routes:
            raise bad_request("At least one route is required before deploying the Api.")
        stage_name = call.params.get("StageName")
        stage = api.stages.get(stage_name) if stage_name else None
        if stage_name and stage is None:
            raise not_found("Stage", stage_name)
        if stage is not None and stage["AutoDeploy"]:
            raise bad_request(f"Deployments to stage {stage_name} are automatic: it has autoDeploy on")
        document = self.new_deployment(automatic=False, description=call.params.get("Description") or " ")
        api.freeze(document)
        if stage is not None:
            stage["DeploymentId"] = document["DeploymentId"]
        return answered(document)

    async def get_deployment(self, call: Call) -> Document:
        return answered(self.deployment_of(call).document)

    async def get_deployments(self, call: Call) -> Document:
        return page(call, [deployment.document for deployment in self.api(call).deployments.values()])

    async def update_deployment(self, call: Call) -> Document:
        document = self.deployment_of(call).document
        return replace(document, changed(document, call.params, ("Description",)))

    async def delete_deployment(self, call: Call) -> Document:
        self.deployment_of(call)
        api, identity = self.api(call), call.params["DeploymentId"]
        if any(stage.get("DeploymentId") == identity for stage in api.stages.values()):
            raise bad_request("Active stages pointing to this deployment must be moved or deleted")
        del api.deployments[identity]
        return {}

    def deployment_of(self, call: Call) -> HttpDeployment:
        try:
            return self.api(call).deployments[call.params["DeploymentId"]]
        except KeyError:
            raise not_found("Deployment", call.params["DeploymentId"]) from None
