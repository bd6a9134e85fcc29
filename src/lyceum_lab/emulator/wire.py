"""AWS's wire protocols, from botocore's models: names a request, reads its parameters, writes an answer.

Working here and not on moto's classes keeps the fillers independent of moto's insides: a filler sees the parameters
and results of an operation as AWS's own documentation spells them.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from botocore.parsers import create_parser
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]

# Requests are signed with one name and modelled by botocore under another.
MODELS = {
    "elasticfilesystem": "efs",
    "monitoring": "cloudwatch",
    "elasticloadbalancing": "elbv2",
    "servicequotas": "service-quotas",
    "tagging": "resourcegroupstaggingapi",
}
# `bucket.s3.region.amazonaws.com`; the host as it was sent, which a signature names, is kept under this name.
_VIRTUAL = re.compile(r"([a-z0-9][a-z0-9.-]*[a-z0-9])\.s3(?:\.[a-z]{2}-[a-z]+-\d)?\.amazonaws\.com")
VIRTUAL_HOST = "lyceum.virtual_host"
# No operation that moto or a filler reads has a larger body; what is larger is an S3 object, and stays a stream.
PARSED_BODY_LIMIT = 4 * 1024 * 1024


class ApiError(Exception):
    """An error that an AWS operation answers with, as its API spells it."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass
class Call:
    """One request to AWS. `service` is the signing name; any of the names is "" when the request does not tell it."""

    environ: Environ
    service: str = ""
    operation: str = ""
    region: str = ""
    access_key: str = ""
    body: bytes = field(default=b"", repr=False)
    # What IAM was asked about it, and who answered (permissions.py): action, resource, the statement that decided.
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.service or 'unsigned'}:{self.operation or self.environ.get('REQUEST_METHOD', '')}"

    @property
    def model_name(self) -> str:
        path = self.environ.get("PATH_INFO", "")
        if self.service == "ses" and path.startswith("/v2/"):
            return "sesv2"
        if self.service == "s3" and path.startswith("/v20180820/"):
            return "s3control"
        return MODELS.get(self.service, self.service)

    @cached_property
    def service_model(self) -> ServiceModel:
        return get_service_model(self.model_name)

    @cached_property
    def operation_model(self) -> OperationModel:
        model: OperationModel = self.service_model.operation_model(self.operation)
        return model

    @cached_property
    def protocol(self) -> str:
        return determine_request_protocol(self.service_model, self.environ.get("CONTENT_TYPE"))

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The operation's input as AWS's API names it; absent members are left out."""
        try:
            _, labels = get_service_router(self.model_name).match(self.request())
        except Exception:  # not every protocol has path labels, and the router raises more than its documented error
            labels = {}
        request = self.request()
        parser = PROTOCOL_PARSERS[self.protocol](self.operation_model, map_type=dict)
        parsed = parser.parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.data or self.body,
                "url_path": request.path,
                "url_params": labels,
            }
        )
        return {name: value for name, value in (parsed or {}).items() if value is not None}

    def request(self) -> Request:
        """A fresh request over the body, which may be read again."""
        return Request({**self.environ, "wsgi.input": io.BytesIO(self.body)})

    def rewind(self) -> None:
        """Lets the next reader of the WSGI environment see the body from its start."""
        if self.body:
            self.environ["wsgi.input"] = io.BytesIO(self.body)


def read_call(environ: Environ) -> Call:
    """Name the request. Small bodies are read and kept; the body of an S3 object is left where it is."""
    _to_path_style(environ)
    call = Call(environ)
    _read_scope(call)
    if not _is_object_body(call):
        try:
            length = int(environ.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if 0 < length <= PARSED_BODY_LIMIT:
            call.body = environ["wsgi.input"].read(length)
            call.rewind()
    call.operation = _operation(call)
    return call


def _to_path_style(environ: Environ) -> None:
    """A bucket that is named in the host is named in the path instead: everything behind reads one form."""
    host = str(environ.get("HTTP_HOST", "")).partition(":")[0]
    if found := _VIRTUAL.fullmatch(host):
        environ[VIRTUAL_HOST] = environ["HTTP_HOST"]
        environ["HTTP_HOST"] = host.removeprefix(f"{found[1]}.")
        environ["PATH_INFO"] = f"/{found[1]}{environ.get('PATH_INFO') or '/'}"


def _read_scope(call: Call) -> None:
    """The credential scope: of the signature header, or of a presigned URL's query. Anonymous requests are S3's."""
    authorization = call.environ.get("HTTP_AUTHORIZATION", "")
    query = parse_qs(call.environ.get("QUERY_STRING", ""))
    signed = "Credential=" in authorization
    if signed:
        scope = authorization.split("Credential=")[1].split(",")[0].strip()
    else:
        scope = query.get("X-Amz-Credential", [""])[0]
    parts = scope.split("/")
    if len(parts) == 5:
        call.access_key, _, call.region, call.service, _ = parts
    # Moto looks at no scope in a query: such a request is S3's whatever it says, and S3's guards must see it.
    presigned = not signed and any(name.startswith("X-Amz-") for name in query)
    aimed = call.environ.get("HTTP_X_AMZ_TARGET") and call.environ.get("REQUEST_METHOD") == "POST"
    if presigned or (len(parts) != 5 and not aimed):
        call.service = "s3"


def _is_object_body(call: Call) -> bool:
    if call.service != "s3" or call.environ.get("REQUEST_METHOD") not in {"PUT", "POST"}:
        return False
    query = parse_qs(call.environ.get("QUERY_STRING", ""), keep_blank_values=True)
    in_bucket = call.environ.get("PATH_INFO", "/").strip("/").count("/") > 0
    return in_bucket and (not query or "partNumber" in query or "X-Amz-Credential" in query or "x-id" in query)


def _operation(call: Call) -> str:
    environ = call.environ
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rsplit(".", 1)[-1]
    if environ.get("HTTP_SMITHY_PROTOCOL") and "/operation/" in environ.get("PATH_INFO", ""):
        return str(environ["PATH_INFO"]).rsplit("/operation/", 1)[1]
    if str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded"):
        return parse_qs(call.body.decode("utf-8", "replace")).get("Action", [""])[0]
    if not call.service or environ.get("REQUEST_METHOD") == "OPTIONS":
        return "Preflight" if call.service == "s3" else ""
    try:
        return str(get_service_router(call.model_name).match(call.request())[0].name)
    except Exception:  # unknown service, unknown route: the call stays unnamed
        return ""


# ---------------------------------------------------------------------------------------------------- answers


def write_result(call: Call, result: dict[str, Any]) -> Answer:
    """The result of an operation in the protocol that the caller speaks."""
    serializer = get_serializer_class(call.service_model.service_name, call.protocol)(
        operation_model=call.operation_model
    )
    written = serializer.serialize(result)
    body = written["body"].encode() if isinstance(written["body"], str) else written["body"]
    headers = [(name, str(value)) for name, value in written["headers"].items() if name.lower() != "content-length"]
    return written["status_code"], [*headers, ("Content-Length", str(len(body)))], body


def read_result(call: Call, answer: Answer) -> dict[str, Any]:
    """The result of an operation out of moto's answer."""
    status, headers, body = answer
    if call.operation_model.output_shape is None:
        return {}
    parser = create_parser({"query-json": "query"}.get(call.protocol, call.protocol))
    result: dict[str, Any] = parser.parse(
        {"status_code": status, "headers": {name.lower(): value for name, value in headers}, "body": body},
        call.operation_model.output_shape,
    )
    result.pop("ResponseMetadata", None)
    return result


def rewrite_result(call: Call, answer: Answer, result: dict[str, Any]) -> Answer:
    """Moto's answer with another result in it: its status and headers, our body."""
    _, headers, body = write_result(call, result)
    written = {name.lower() for name, _ in headers} | {"content-length", "transfer-encoding"}
    return answer[0], [*headers, *((n, v) for n, v in answer[1] if n.lower() not in written)], body


def write_error(call: Call, error: ApiError) -> Answer:
    """An error in the shape of the caller's protocol, so that an SDK raises it and shows its message."""
    code, message = escape(error.code), escape(error.message)
    if call.service == "s3" and call.model_name == "s3":
        body, kind = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>", "application/xml"
    elif call.service == "ec2":
        body = f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>"
        kind = "text/xml"
    elif _speaks_json(call):
        body = json.dumps({"__type": error.code, "message": error.message, "Message": error.message})
        kind = "application/json"
    else:
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            "<RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
        )
        kind = "text/xml"
    content = b"" if call.environ.get("REQUEST_METHOD") == "HEAD" else body.encode()
    headers = [("Content-Type", kind), ("x-amzn-errortype", error.code), ("Content-Length", str(len(content)))]
    return error.status, headers, content


def _speaks_json(call: Call) -> bool:
    if call.environ.get("HTTP_X_AMZ_TARGET"):
        return True
    if str(call.environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded"):
        return False
    return "json" in _protocols(call.model_name)


@cache
def _protocols(model_name: str) -> str:
    try:
        model = get_service_model(model_name)
    except Exception:  # no such service: JSON is what most of AWS speaks
        return "json"
    return " ".join([str(model.protocol), *model.metadata.get("protocols", [])])


def dig(result: Any, path: str) -> Iterable[dict[str, Any]]:
    """The dictionaries in a result at a path such as `Reservations[].Instances[]`."""
    found = [result]
    for part in path.split("."):
        step: list[Any] = []
        for item in found:
            value = item.get(part.removesuffix("[]"))
            if value is not None:
                step.extend(value) if part.endswith("[]") else step.append(value)
        found = step
    return found
