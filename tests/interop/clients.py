"""Prints the message properties that other RabbitMQ clients read: `clients.py pika QUEUE` or `clients.py amqp QUEUE`.

Prints the properties of the queue's first message as JSON, a time in seconds since 1970, and leaves the message there.
"""

import json
import os
import sys

HOST = os.environ["TWYLA_TEST_AMQP_HOST"]
PORT = int(os.environ.get("TWYLA_TEST_AMQP_PORT", "5672"))
USER, PASS = os.environ["TWYLA_TEST_AMQP_USER"], os.environ["TWYLA_TEST_AMQP_PASS"]
VHOST = os.environ.get("TWYLA_TEST_AMQP_VHOST", "/")


def with_pika(queue):
    import pika

    parameters = pika.ConnectionParameters(HOST, PORT, VHOST, pika.PlainCredentials(USER, PASS))
    connection = pika.BlockingConnection(parameters)
    _, properties, _ = connection.channel().basic_get(queue)
    connection.close()
    return {name: value for name, value in vars(properties).items() if value is not None}


def with_amqp(queue):
    import amqp

    with amqp.Connection(f"{HOST}:{PORT}", USER, PASS, virtual_host=VHOST) as connection:
        properties = dict(connection.channel().basic_get(queue).properties)
    headers = properties.pop("application_headers", None)
    return {**properties, "headers": headers}


properties = {"pika": with_pika, "amqp": with_amqp}[sys.argv[1]](sys.argv[2])
print(json.dumps(properties, default=lambda time: int(time.timestamp())))
