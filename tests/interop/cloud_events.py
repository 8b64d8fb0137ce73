"""Reads and publishes messages with the official CloudEvents SDK: `cloud_events.py read BINDING QUEUE` or
`cloud_events.py publish BINDING MODE EXCHANGE KEY`.

A binding is `amqp` or `rabbitmq`, a mode is `binary` or `structured`. `read` takes the queue's first message and prints its
attributes and its data as JSON. `publish` reads attributes and data as JSON from its standard input.
"""

import json
import os
import sys

import pika
from cloudevents.core.bindings import amqp, rabbitmq
from cloudevents.core.v1.event import CloudEvent

HOST = os.environ["TWYLA_TEST_AMQP_HOST"]
PORT = int(os.environ.get("TWYLA_TEST_AMQP_PORT", "5672"))
USER, PASS = os.environ["TWYLA_TEST_AMQP_USER"], os.environ["TWYLA_TEST_AMQP_PASS"]
VHOST = os.environ.get("TWYLA_TEST_AMQP_VHOST", "/")


def of_amqp(properties, body):
    content_type = {} if properties.content_type is None else {"content-type": properties.content_type}
    return amqp.from_amqp_event(amqp.AMQPMessage(content_type, properties.headers or {}, body))


def of_rabbitmq(properties, body):
    message = rabbitmq.RabbitMQMessage(properties.headers or {}, properties.content_type, body)
    return rabbitmq.from_rabbitmq_event(message)


def to_amqp(event, mode):
    message = {"binary": amqp.to_binary_event, "structured": amqp.to_structured_event}[mode](event)
    return message.properties.get("content-type"), message.application_properties, message.application_data


def to_rabbitmq(event, mode):
    message = {"binary": rabbitmq.to_binary_event, "structured": rabbitmq.to_structured_event}[mode](event)
    return message.content_type, message.headers, message.body


def read(channel, binding, queue):
    _, properties, body = channel.basic_get(queue, auto_ack=True)
    event = {"amqp": of_amqp, "rabbitmq": of_rabbitmq}[binding](properties, body)
    printed = {"attributes": event.get_attributes(), "data": event.get_data(), "message_id": properties.message_id}
    print(json.dumps(printed, default=lambda time: time.isoformat()))


def publish(channel, binding, mode, exchange, key):
    event = json.load(sys.stdin)
    event = CloudEvent(attributes=event["attributes"], data=event["data"])
    content_type, headers, body = {"amqp": to_amqp, "rabbitmq": to_rabbitmq}[binding](event, mode)
    channel.confirm_delivery()
    channel.basic_publish(exchange, key, body, pika.BasicProperties(content_type=content_type, headers=headers), True)


parameters = pika.ConnectionParameters(HOST, PORT, VHOST, pika.PlainCredentials(USER, PASS))
connection = pika.BlockingConnection(parameters)
{"read": read, "publish": publish}[sys.argv[1]](connection.channel(), *sys.argv[2:])
connection.close()
