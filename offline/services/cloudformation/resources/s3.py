"""S3 in CloudFormation: Bucket, BucketPolicy."""

from collections.abc import Iterable
from typing import Any

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.adapter import missing_ok, text, to_boolean
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words

#: A lifecycle rule's members that have the same name and shape in the API.
RULE_MEMBERS = words("Id Status AbortIncompleteMultipartUpload NoncurrentVersionExpiration")
RULE_MODELLED = RULE_MEMBERS | words("Prefix ExpirationInDays ExpiredObjectDeleteMarker Transitions")
CORS_NAMES = {"Id": "ID", "ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds"}
ACLS = {"Private": "private", "LogDeliveryWrite": "log-delivery-write", "PublicRead": "public-read"}


class S3Bucket(ResourceType):
    type = "AWS::S3::Bucket"
    modelled = words(
        "AccessControl BucketEncryption BucketName CorsConfiguration LifecycleConfiguration OwnershipControls "
        "PublicAccessBlockConfiguration Tags VersioningConfiguration"
    )
    attributes = words("Arn DomainName DualStackDomainName RegionalDomainName WebsiteURL")
    taggable = True

    def check(self, properties: dict[str, Any]) -> Iterable[str]:
        lifecycle = properties.get("LifecycleConfiguration")
        rules = lifecycle.get("Rules", ()) if isinstance(lifecycle, dict) else ()
        for rule in rules if isinstance(rules, list) else ():
            for name in rule if isinstance(rule, dict) else ():
                if name not in RULE_MODELLED and name != "Fn::If":
                    yield f"the property LifecycleConfiguration.Rules.{name}"
        if isinstance(properties.get("AccessControl"), str) and properties["AccessControl"] not in ACLS:
            yield f"AccessControl {properties['AccessControl']}"

    def create(self, request: ResourceRequest) -> ResourceState:
        name = request.properties.get("BucketName") or request.name(63, lowercase=True)
        s3 = request.client("s3")
        destination: dict[str, Any] = {}
        if request.region != "us-east-1":
            destination["CreateBucketConfiguration"] = {"LocationConstraint": request.region}
        if "AccessControl" in request.properties:
            destination["ACL"] = ACLS[request.properties["AccessControl"]]
        s3.create_bucket(Bucket=name, **destination)
        request.register_id(name)
        _configure(s3, name, request)
        return self._state_of(name, request.region)

    def update(self, request: ResourceRequest) -> ResourceState:
        _configure(request.client("s3"), request.identity, request)
        return self._state_of(request.identity, request.region)

    def delete(self, request: ResourceRequest) -> None:
        with missing_ok("NoSuchBucket"):
            request.client("s3").delete_bucket(Bucket=request.identity)

    def _state_of(self, name: str, region: str) -> ResourceState:
        return ResourceState(
            name,
            {
                "Arn": f"arn:aws:s3:::{name}",
                "DomainName": f"{name}.s3.amazonaws.com",
                "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
                "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
                "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
            },
        )


class BucketPolicy(ResourceType):
    type = "AWS::S3::BucketPolicy"
    modelled = words("Bucket PolicyDocument")

    def create(self, request: ResourceRequest) -> ResourceState:
        return self._put(request)

    def update(self, request: ResourceRequest) -> ResourceState:
        return self._put(request)

    def _put(self, request: ResourceRequest) -> ResourceState:
        bucket = request.properties["Bucket"]
        request.client("s3").put_bucket_policy(Bucket=bucket, Policy=text(request.properties["PolicyDocument"]))
        return ResourceState(bucket)

    def delete(self, request: ResourceRequest) -> None:
        with missing_ok("NoSuchBucket", "NoSuchBucketPolicy"):
            request.client("s3").delete_bucket_policy(Bucket=request.identity)


def _configure(s3: Any, bucket: str, request: ResourceRequest) -> None:
    for name, (put, remove) in _CONFIGURATIONS.items():
        if not request.changed(name):
            continue
        if name in request.properties:
            put(s3, bucket, request.properties[name])
        else:
            remove(s3, bucket)
    if request.tags != request.previous_tags:
        if request.tags:
            s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": to_pairs(request.tags)})
        else:
            s3.delete_bucket_tagging(Bucket=bucket)


def _put_encryption(s3: Any, bucket: str, value: dict[str, Any]) -> None:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault" if key == "ServerSideEncryptionByDefault" else key: item
            for key, item in rule.items()
        }
        for rule in value["ServerSideEncryptionConfiguration"]
    ]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


def _put_versioning(s3: Any, bucket: str, value: dict[str, Any]) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": value["Status"]})


def _put_lifecycle(s3: Any, bucket: str, value: dict[str, Any]) -> None:
    rules = [_lifecycle_rule(rule) for rule in value["Rules"]]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    rule_members: dict[str, Any] = {"ID" if key == "Id" else key: rule[key] for key in RULE_MEMBERS if key in rule}
    rule_members["Filter"] = {"Prefix": rule.get("Prefix", "")}
    expiration: dict[str, Any] = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = int(rule["ExpirationInDays"])
    if "ExpiredObjectDeleteMarker" in rule:
        expiration["ExpiredObjectDeleteMarker"] = to_boolean(rule["ExpiredObjectDeleteMarker"])
    if expiration:
        rule_members["Expiration"] = expiration
    if "Transitions" in rule:
        rule_members["Transitions"] = [
            {"StorageClass": item["StorageClass"], "Days": int(item["TransitionInDays"])}
            for item in rule["Transitions"]
        ]
    return rule_members


def _put_public_access_block(s3: Any, bucket: str, value: dict[str, Any]) -> None:
    flags = {key: to_boolean(item) for key, item in value.items()}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=flags)


def _put_ownership(s3: Any, bucket: str, value: dict[str, Any]) -> None:
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": value["Rules"]})


def _put_cors(s3: Any, bucket: str, value: dict[str, Any]) -> None:
    rules = [{CORS_NAMES.get(key, key): item for key, item in rule.items()} for rule in value["CorsRules"]]
    for rule in rules:
        if "MaxAgeSeconds" in rule:
            rule["MaxAgeSeconds"] = int(rule["MaxAgeSeconds"])
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})


_CONFIGURATIONS: dict[str, Any] = {
    "BucketEncryption": (_put_encryption, lambda s3, bucket: s3.delete_bucket_encryption(Bucket=bucket)),
    "VersioningConfiguration": (
        _put_versioning,
        lambda s3, bucket: _put_versioning(s3, bucket, {"Status": "Suspended"}),
    ),
    "LifecycleConfiguration": (_put_lifecycle, lambda s3, bucket: s3.delete_bucket_lifecycle(Bucket=bucket)),
    "PublicAccessBlockConfiguration": (
        _put_public_access_block,
        lambda s3, bucket: s3.delete_public_access_block(Bucket=bucket),
    ),
    "OwnershipControls": (_put_ownership, lambda s3, bucket: s3.delete_bucket_ownership_controls(Bucket=bucket)),
    "CorsConfiguration": (_put_cors, lambda s3, bucket: s3.delete_bucket_cors(Bucket=bucket)),
}
