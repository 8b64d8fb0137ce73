"""Validates messages with the schema that an AsyncAPI document gives them: `hold.py DOCUMENT MESSAGE`.

Reads a message from each line of standard input; prints for each the JSON Pointers of what the schema refuses, as a JSON array.
"""

import json
import sys

from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

with open(sys.argv[1], encoding="utf-8") as file:
    document = json.load(file)
registry = Registry().with_resource("urn:document", Resource(document, DRAFT7))
payload = {"$ref": f"urn:document#/components/messages/{sys.argv[2]}/payload"}
validator = Draft7Validator(payload, registry=registry, format_checker=FormatChecker())
for line in sys.stdin:
    refused = validator.iter_errors(json.loads(line))
    print(json.dumps(sorted("".join(f"/{part}" for part in error.absolute_path) for error in refused)))
