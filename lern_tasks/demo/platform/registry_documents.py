"""The documents of the registry: envelope, entity, credential, and what it refuses.

See docs/jobs/collection_certificate_generator.md, section "Rules".
"""

import copy
import hashlib
import json
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

# Members that the entity's schema knows: whether the member and which of its own members are required.
_OBJECTS: Mapping[str, tuple[bool, tuple[str, ...]]] = {
    "recipient": (True, ("id",)),
    "training": (True, ("id", "type")),
    "issuer": (False, ("name",)),
}
_TEXTS = ("templateUrl", "certificateLabel", "jsonUrl")
_STATUSES = ("ACTIVE", "REVOKED", "DELETED")


def envelope(operation: str, *, result: Any = None, error: str = "") -> dict[str, Any]:
    """The answer's outer object; a non-empty `error` makes it unsuccessful."""
    outer: dict[str, Any] = {
        "id": f"sunbird-rc.registry.{operation}",
        "ver": "1.0",
        "ets": time.time_ns() // 1_000_000,
        "params": {
            "resmsgid": "",
            "msgid": str(uuid.uuid4()),
            "err": "",
            "status": "UNSUCCESSFUL" if error else "SUCCESSFUL",
            "errmsg": error,
        },
        "responseCode": "ERROR" if error else "OK",
    }
    if result is not None:
        outer["result"] = result
    return outer


def certificate_fault(body: Any) -> str:
    """What the schema of a certificate has against a body, in one line; empty if nothing."""
    if not isinstance(body, dict):
        return "#: expected type: JSONObject"
    faults = [_object_fault(body, name, required, members) for name, (required, members) in _OBJECTS.items()]
    faults += [f"#/{name}: expected type: String" for name in _TEXTS if not isinstance(body.get(name, ""), str)]
    if body.get("status", "ACTIVE") not in _STATUSES:
        faults.append("#/status: not a valid enum value")
    signatory = body.get("signatory", [])
    if not isinstance(signatory, list) or not all(isinstance(each, dict) for each in signatory):
        faults.append("#/signatory: expected type: JSONArray of JSONObject")
    return next(filter(None, faults), "")


def _object_fault(body: Mapping[str, Any], name: str, required: bool, members: tuple[str, ...]) -> str:
    if name not in body:
        return f"#: required key [{name}] not found" if required else ""
    value = body[name]
    if not isinstance(value, dict):
        return f"#/{name}: expected type: JSONObject"
    missing = [member for member in members if member not in value]
    if missing:
        return f"#/{name}: required key [{missing[0]}] not found"
    wrong = [member for member in members if not isinstance(value[member], str)]
    return f"#/{name}/{wrong[0]}: expected type: String" if wrong else ""


def new_osid() -> str:
    """An id as the registry makes them: shard `1`, then a random UUID."""
    return f"1-{uuid.uuid4()}"


def entity_document(body: Mapping[str, Any], osid: str, at: float) -> dict[str, Any]:
    """The stored form of a body: an id in it and in each nested object, and the registry's own members."""
    document = copy.deepcopy(dict(body))
    for value in document.values():
        for nested in value if isinstance(value, list) else [value]:
            if isinstance(nested, dict):
                nested.setdefault("osid", new_osid())
    moment = _iso(at)
    return document | {
        "osid": osid,
        "osOwner": ["anonymous"],
        "osCreatedAt": moment,
        "osCreatedBy": "anonymous",
        "osUpdatedAt": moment,
        "osUpdatedBy": "anonymous",
    }


def credential(document: Mapping[str, Any]) -> dict[str, Any]:
    """The W3C verifiable credential of a stored certificate.

    Its proof is a digest: this registry has no key, and nothing that it issues is meant to be verified elsewhere.
    """
    recipient, training, issuer = (document.get(name) or {} for name in ("recipient", "training", "issuer"))
    unsigned = {
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": ["VerifiableCredential"],
        "id": f"did:sunbird:{document['osid']}",
        "issuanceDate": document["osCreatedAt"],
        "credentialSubject": {
            "type": document.get("certificateLabel", ""),
            "recipientName": recipient.get("name", ""),
            "trainingName": training.get("name", ""),
            "trainingId": training.get("id", ""),
        },
        "issuer": {
            "name": issuer.get("name", ""),
            "url": issuer.get("url", ""),
            "publicKey": [issuer["kid"]] if issuer.get("kid") else [],
        },
    }
    digest = hashlib.sha256(json.dumps(unsigned, sort_keys=True).encode()).hexdigest()
    proof = {"type": "Sha256Digest", "created": document["osCreatedAt"], "proofValue": digest}
    return unsigned | {"proof": proof}


def _iso(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
