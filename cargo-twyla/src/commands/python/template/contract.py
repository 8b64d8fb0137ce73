"""Contracts: a schema, its model, and the conversions between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from .validation import ContractError, Violation, described, violations

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Contract(Generic[M]):
    """A contract: of an event's content, of the context, or of a part of an RPC."""

    name: str
    kind: str
    """`event`, `context`, `request`, `response` or `error`."""
    digest: str
    model: type[M]

    def decode(self, value: Any) -> M:
        """Reads a value; raises `ContractError` if it breaks the contract."""
        self._check(value)
        # an undeclared member may have the name of another one's field
        return self.model.model_validate(value, by_alias=True, by_name=False)

    def encode(self, value: M) -> Any:
        """Returns a value for JSON; raises `ContractError` if it breaks the contract. Only what was set is written."""
        dumped = value.model_dump(mode="json", by_alias=True, exclude_unset=True)
        self._check(dumped)
        return dumped

    def _check(self, value: Any) -> None:
        # whatever its schema says, only a response and an error may be something else
        if self.kind not in ("response", "error") and not isinstance(value, dict):
            raise ContractError(self.name, [Violation("", "type", f"expected an object, found {described(value)}")])
        broken = violations(self.digest, value)
        if broken:
            raise ContractError(self.name, broken)
