"""IAM in CloudFormation: Role, Policy, ManagedPolicy."""

from typing import Any

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.adapter import missing_ok, retag, text
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words

#: The kinds of principal to which a policy attaches: property, API name, parameter.
PRINCIPALS = (("Roles", "role", "RoleName"), ("Users", "user", "UserName"), ("Groups", "group", "GroupName"))

GONE = ("NoSuchEntity", "NoSuchEntityException")


class Role(ResourceType):
    type = "AWS::IAM::Role"
    modelled = words(
        "AssumeRolePolicyDocument Description ManagedPolicyArns MaxSessionDuration Path PermissionsBoundary "
        "Policies RoleName Tags"
    )
    attributes = words("Arn RoleId")
    taggable = True

    def create(self, request: ResourceRequest) -> ResourceState:
        iam, properties = request.client("iam"), request.properties
        name = properties.get("RoleName") or request.name(64)
        extra = {
            key: properties[key] for key in ("Description", "Path", "PermissionsBoundary") if key in properties
        }
        role = iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=text(properties["AssumeRolePolicyDocument"]),
            MaxSessionDuration=int(properties.get("MaxSessionDuration", 3600)),
            Tags=to_pairs(request.tags),
            **extra,
        )["Role"]
        request.register_id(name)
        _settle_policies(iam, name, {}, properties)
        return ResourceState(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def update(self, request: ResourceRequest) -> ResourceState:
        iam, name, properties = request.client("iam"), request.identity, request.properties
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=text(properties["AssumeRolePolicyDocument"]))
        if request.changed("Description", "MaxSessionDuration"):
            iam.update_role(
                RoleName=name,
                Description=properties.get("Description", ""),
                MaxSessionDuration=int(properties.get("MaxSessionDuration", 3600)),
            )
        if request.changed("PermissionsBoundary"):
            if "PermissionsBoundary" in properties:
                iam.put_role_permissions_boundary(
                    RoleName=name, PermissionsBoundary=properties["PermissionsBoundary"]
                )
            else:
                iam.delete_role_permissions_boundary(RoleName=name)
        _settle_policies(iam, name, request.previous or {}, properties)
        retag(iam, request, RoleName=name, tag="TagRole", untag="UntagRole")
        return ResourceState(name, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        iam, name = request.client("iam"), request.identity
        with missing_ok(*GONE):
            _settle_policies(iam, name, request.properties, {})
            if "PermissionsBoundary" in request.properties:
                iam.delete_role_permissions_boundary(RoleName=name)
            iam.delete_role(RoleName=name)


def _settle_policies(iam: Any, role: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    had, properties = set(old.get("ManagedPolicyArns") or ()), set(new.get("ManagedPolicyArns") or ())
    for arn in sorted(had - properties):
        with missing_ok(*GONE):
            iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    for arn in sorted(properties - had):
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    inline = {policy["PolicyName"]: text(policy["PolicyDocument"]) for policy in new.get("Policies") or ()}
    for policy in old.get("Policies") or ():
        if policy["PolicyName"] not in inline:
            with missing_ok(*GONE):
                iam.delete_role_policy(RoleName=role, PolicyName=policy["PolicyName"])
    for name, document in inline.items():
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)


class IamPolicy(ResourceType):
    type = "AWS::IAM::Policy"
    modelled = words("Groups PolicyDocument PolicyName Roles Users")
    attributes = words("Id")

    def create(self, request: ResourceRequest) -> ResourceState:
        properties, name = request.properties, request.name(128)
        request.register_id(name)
        self._put(request.client("iam"), properties)
        return ResourceState(name, {"Id": name})

    def update(self, request: ResourceRequest) -> ResourceState:
        iam, properties, had = request.client("iam"), request.properties, request.previous or {}
        self._put(iam, properties)
        for key, kind, parameter in PRINCIPALS:
            for principal in had.get(key) or ():
                if properties["PolicyName"] != had["PolicyName"] or principal not in (properties.get(key) or ()):
                    self._remove(iam, kind, parameter, principal, had["PolicyName"])
        return ResourceState(request.identity, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        iam, had = request.client("iam"), request.properties
        for key, kind, parameter in PRINCIPALS:
            for principal in had.get(key) or ():
                self._remove(iam, kind, parameter, principal, had["PolicyName"])

    def _put(self, iam: Any, properties: dict[str, Any]) -> None:
        for key, kind, parameter in PRINCIPALS:
            for principal in properties.get(key) or ():
                put = getattr(iam, f"put_{kind}_policy")
                put(
                    **{parameter: principal},
                    PolicyName=properties["PolicyName"],
                    PolicyDocument=text(properties["PolicyDocument"]),
                )

    def _remove(self, iam: Any, kind: str, parameter: str, principal: str, policy: str) -> None:
        remove = getattr(iam, f"delete_{kind}_policy")
        with missing_ok(*GONE):
            remove(**{parameter: principal}, PolicyName=policy)


class ManagedPolicy(ResourceType):
    type = "AWS::IAM::ManagedPolicy"
    modelled = words("Description Groups ManagedPolicyName Path PolicyDocument Roles Users")
    attributes = words("PolicyArn PolicyId")

    def create(self, request: ResourceRequest) -> ResourceState:
        iam, properties = request.client("iam"), request.properties
        extra = {key: properties[key] for key in ("Description", "Path") if key in properties}
        policy = iam.create_policy(
            PolicyName=properties.get("ManagedPolicyName") or request.name(128),
            PolicyDocument=text(properties["PolicyDocument"]),
            **extra,
        )["Policy"]
        request.register_id(policy["Arn"])
        self._attach(iam, policy["Arn"], {}, properties)
        return ResourceState(policy["Arn"], {"PolicyArn": policy["Arn"], "PolicyId": policy["PolicyId"]})

    def update(self, request: ResourceRequest) -> ResourceState:
        iam, arn = request.client("iam"), request.identity
        if request.changed("PolicyDocument"):
            versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
            document = text(request.properties["PolicyDocument"])
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
            for version in versions:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        self._attach(iam, arn, request.previous or {}, request.properties)
        return ResourceState(arn, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        iam, arn = request.client("iam"), request.identity
        self._attach(iam, arn, request.properties, {})
        with missing_ok(*GONE):
            iam.delete_policy(PolicyArn=arn)

    def _attach(self, iam: Any, arn: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        for key, kind, parameter in PRINCIPALS:
            had, properties = set(old.get(key) or ()), set(new.get(key) or ())
            for principal in sorted(properties - had):
                getattr(iam, f"attach_{kind}_policy")(**{parameter: principal}, PolicyArn=arn)
            for principal in sorted(had - properties):
                with missing_ok(*GONE):
                    getattr(iam, f"detach_{kind}_policy")(**{parameter: principal}, PolicyArn=arn)
