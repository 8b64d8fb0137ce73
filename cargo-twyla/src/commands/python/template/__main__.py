"""`python -m PACKAGE manifest MODULE[:SERVICE]`: writes the manifest of a service, by importing it."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

from .service import Service


def _find(named: str) -> Service:
    module_name, _, attribute = named.partition(":")
    # the service is where the command runs, as `python -m` has it
    sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        # what the module itself lacks is its own error
        if error.name != module_name:
            raise
        raise SystemExit(f"error: there is no module {module_name} here") from None
    if attribute:
        found = getattr(module, attribute, None)
        if not isinstance(found, Service):
            raise SystemExit(f"error: {module_name} has no Service named {attribute}")
        return found
    services = [it for it in vars(module).values() if isinstance(it, Service)]
    if len(services) != 1:
        raise SystemExit(f"error: {module_name} has {len(services)} services: name one, as in {module_name}:service")
    return services[0]


def main() -> None:
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    manifest = commands.add_parser("manifest", help="write the manifest of a service")
    manifest.add_argument("service", help="the module of the service, or module:name")
    manifest.add_argument("-o", "--out", type=Path, help="the file; default: <service>.contracts.json; - for standard output")
    args = parser.parse_args()
    service = _find(args.service)
    text = json.dumps(service.manifest(), indent=2, ensure_ascii=False) + "\n"
    if args.out is not None and str(args.out) == "-":
        sys.stdout.write(text)
        return
    out = args.out or Path(f"{service.name}.contracts.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
