"""A message with every property and every type of header: `carried.py publish EXCHANGE KEY BODY` or `carried.py look QUEUE`.

pika publishes it, and py-amqp reads it. `look` prints how the queue's first message has changed, and leaves it there: missing and changed
properties and headers as `{name: [published, found]}`, and the added headers.
"""

import json
import os
import struct
import sys
from datetime import datetime, timezone
from decimal import Decimal

import amqp
import pika
import pika.data

# pika doesn't write doubles
encode_others = pika.data.encode_value


def encode_value(pieces, value):
    if not isinstance(value, float):
        return encode_others(pieces, value)
    pieces.append(struct.pack(">cd", b"d", value))
    return 9


pika.data.encode_value = encode_value

USER, PASS = os.environ["TWYLA_TEST_AMQP_USER"], os.environ["TWYLA_TEST_AMQP_PASS"]
CC = ["carried.elsewhere"]

HEADERS = {
    "text": "grüße 😀",
    "empty": "",
    "int": -7,
    "long": 2**40,
    "true": True,
    "false": False,
    "double": 0.1,
    "decimal": Decimal("12.345"),
    "when": datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc),
    "bytes": b"\x00\xff\x80",
    "void": None,
    "array": ["a", 1, 2.5, None, ["deep", {"er": b"\x01"}]],
    "table": {"a": {"b": [1, {"c": None}]}, "d": 1.5, "e": Decimal("-0.5")},
    "big": "x" * 40_000,
    "traceparent": "not one",
    "CC": CC,
}


def published():
    return pika.BasicProperties(
        content_type="application/vnd.test+json",
        content_encoding="identity",
        headers=dict(HEADERS),
        delivery_mode=1,
        priority=7,
        correlation_id="a correlation",
        reply_to="amq.somewhere",
        expiration="3600000",
        message_id="an id, with spaces",
        timestamp=1_700_000_000,
        type="a type",
        user_id=USER,
        app_id="an app",
        cluster_id="a cluster",
    )


def plain(value):
    """The value with one type for each of AMQP's: py-amqp returns memory views, and UTC times without a time zone."""
    if isinstance(value, (bytes, memoryview)):
        return bytes(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=timezone.utc)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value


def same(one, other):
    return type(one) is type(other) and one == other


host, port = os.environ["TWYLA_TEST_AMQP_HOST"], int(os.environ.get("TWYLA_TEST_AMQP_PORT", "5672"))
vhost = os.environ.get("TWYLA_TEST_AMQP_VHOST", "/")
if sys.argv[1] == "publish":
    _, _, exchange, key, body = sys.argv
    connection = pika.BlockingConnection(pika.ConnectionParameters(host, port, vhost, pika.PlainCredentials(USER, PASS)))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish(exchange, key, body.encode(), published(), mandatory=True)
    connection.close()
else:
    with amqp.Connection(f"{host}:{port}", USER, PASS, virtual_host=vhost) as connection:
        found = plain(dict(connection.channel().basic_get(sys.argv[2]).properties))
    headers = found.pop("application_headers", {})
    wanted = {name: value for name, value in vars(published()).items() if name != "headers"}
    changed = {name: [value, found.get(name)] for name, value in wanted.items() if not same(value, found.get(name))}
    for name, value in HEADERS.items():
        if name not in headers or not same(value, headers[name]):
            changed[name] = [value, headers.get(name)]
    added = {name: value for name, value in headers.items() if name not in HEADERS}
    print(json.dumps({"changed": changed, "added": added}, default=str))
