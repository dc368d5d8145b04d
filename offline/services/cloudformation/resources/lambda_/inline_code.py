"""Inline code in a template (``Code.ZipFile``): CloudFormation zips it, with the module `cfnresponse`."""

import io
import zipfile

#: A fixed date, so that the same text always yields the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)

#: AWS's module beside inline Python code: `import cfnresponse` in a custom resource's handler.
CFNRESPONSE = """\
import json
import urllib.request

SUCCESS = "SUCCESS"
FAILED = "FAILED"


def send(event, context, responseStatus, responseData, physicalResourceId=None, noEcho=False, reason=None):
    body = json.dumps(
        {
            "Status": responseStatus,
            "Reason": reason or "See the details in CloudWatch Log Stream: {}".format(context.log_stream_name),
            "PhysicalResourceId": physicalResourceId or context.log_stream_name,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
            "NoEcho": noEcho,
            "Data": responseData,
        }
    ).encode()
    request = urllib.request.Request(
        event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""}
    )
    urllib.request.urlopen(request).close()
"""


def zipped(source: str, runtime: str) -> bytes:
    """A deployment package with ``source`` as its index module."""
    python = runtime.startswith("python")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "index.py" if python else "index.js", source)
        if python:
            _add(archive, "cfnresponse.py", CFNRESPONSE)
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, text: str) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, text)
