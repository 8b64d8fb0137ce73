"""Validation of values against their contracts.

The schemas are compiled by the Rust crate `jsonschema` (`jsonschema_rs` in Python), which Twyla's own validation is held to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import jsonschema_rs

_DRAFTS: dict[str, tuple[int, Any]] = {
    "4": (jsonschema_rs.Draft4, jsonschema_rs.Draft4Validator),
    "6": (jsonschema_rs.Draft6, jsonschema_rs.Draft6Validator),
    "7": (jsonschema_rs.Draft7, jsonschema_rs.Draft7Validator),
    "2019-09": (jsonschema_rs.Draft201909, jsonschema_rs.Draft201909Validator),
    "2020-12": (jsonschema_rs.Draft202012, jsonschema_rs.Draft202012Validator),
}
# documents are named by their path in the schemas folder
_BASE = "twyla:///"


@dataclass(frozen=True)
class Violation:
    """A rule that a value breaks."""

    pointer: str
    """The place in the value, as a JSON Pointer."""
    keyword: str
    message: str

    def __str__(self) -> str:
        return f"{self.pointer or '(root)'}: {self.message}"


class ContractError(ValueError):
    """A value that breaks its contract."""

    def __init__(self, name: str, violations: list[Violation]) -> None:
        self.name = name
        self.violations = violations
        super().__init__(f"{name}: " + "; ".join(map(str, violations)))


_KINDS: list[tuple[type, str]] = [
    (type(None), "null"),
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a number"),
    (str, "a string"),
    (list, "an array"),
    (dict, "an object"),
]


def described(value: Any) -> str:
    """Describes a value for a message, without its content, which may be sensitive."""
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "no JSON")


def parse(text: str | bytes) -> Any:
    """Parses JSON; unlike `json.loads`, refuses NaN and infinities."""

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


@cache
def bundles() -> dict[str, Any]:
    """Returns the contracts' schemas by their digests: each with every document that it refers to."""
    text = resources.files(__package__).joinpath("contracts.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def _validator(digest: str) -> Any:
    bundle = bundles()[digest]
    documents: dict[str, Any] = bundle["documents"]
    root: str = bundle["root"]

    def uri(name: str) -> str:
        return name if "://" in name else _BASE + name

    # a document without `$schema` is of the bundle's draft
    draft, kind = _DRAFTS[bundle["draft"]]
    registry = jsonschema_rs.Registry([(uri(name), schema) for name, schema in documents.items()], draft=draft)
    # the root is reached through a reference, so that its base is its own URI
    return kind(
        {"$ref": uri(root)},
        registry=registry,
        validate_formats=bundle.get("formats", True),
        offline=True,
        # errors are logged and kept in dead letters, where sensitive values have no place
        mask="the value",
    )


def violations(digest: str, value: Any) -> list[Violation]:
    """Returns the rules of a contract that a value breaks."""

    def violation(error: jsonschema_rs.ValidationError) -> Violation:
        path = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in error.instance_path)
        return Violation(path, error.kind.name, error.message)

    return [violation(error) for error in _validator(digest).iter_errors(value)]
