"""Judges numbers by the `jsonschema` library with Python's decimals: exact arithmetic, however long a number is.

Reads `{"schema": TEXT, "texts": [TEXT]}`. For each text of a number it prints a list with an object for the number itself
(`own`), for the shortest decimal of its nearest double (`shortest`) and for all digits of that double (`digits`, if it is whole):
by the name of each property of the schema, whether the property's schema accepts the number. `kept` says whether the number
is one of these two decimals.

With `{"schema": TEXT, "values": [TEXT]}` it prints a list that says of the text of each value whether the schema accepts it.
"""

import decimal
import json
import math
import sys
from decimal import Decimal

from jsonschema import Draft202012Validator
from jsonschema.validators import extend

decimal.getcontext().prec = 3000
decimal.getcontext().Emax = decimal.MAX_EMAX
decimal.getcontext().Emin = decimal.MIN_EMIN


def is_number(_, value):
    return isinstance(value, Decimal)


def is_integer(_, value):
    return isinstance(value, Decimal) and value == value.to_integral_value()


checker = Draft202012Validator.TYPE_CHECKER.redefine("number", is_number).redefine("integer", is_integer)
Validator = extend(Draft202012Validator, type_checker=checker)


def exactly(text):
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


asked = json.load(sys.stdin)
if "values" in asked:
    validator = Validator(exactly(asked["schema"]))
    json.dump([validator.is_valid(exactly(text)) for text in asked["values"]], sys.stdout)
    sys.exit()
properties = {name: Validator(schema) for name, schema in exactly(asked["schema"])["properties"].items()}
known = {}


def judge(number):
    if number not in known:
        known[number] = {name: validator.is_valid(number) for name, validator in properties.items()}
    return known[number]


judged = []
for text in asked["texts"]:
    number, double = exactly(text), float(text)
    one = {"own": judge(number), "kept": False}
    if math.isfinite(double):
        shortest = Decimal(repr(double))
        digits = Decimal(double) if double.is_integer() else shortest
        one.update(shortest=judge(shortest), digits=judge(digits), kept=number in (shortest, digits))
    judged.append(one)
json.dump(judged, sys.stdout)
