"""What the Python original does on the wire: properties left empty, naive timestamps, no confirms, queues without arguments.

usage: original.py say EXCHANGE TYPE JSON...        publishes one event for each content
       original.py listen EXCHANGE TYPE GROUP COUNT  prints the bytes of COUNT events, a line each; says "ready" first
"""

import datetime
import json
import os
import sys

import pika


def connect():
    credentials = pika.PlainCredentials(os.environ["TWYLA_TEST_AMQP_USER"], os.environ["TWYLA_TEST_AMQP_PASS"])
    parameters = pika.ConnectionParameters(
        host=os.environ["TWYLA_TEST_AMQP_HOST"],
        port=int(os.environ.get("TWYLA_TEST_AMQP_PORT", "5672")),
        virtual_host=os.environ.get("TWYLA_TEST_AMQP_VHOST", "/"),
        credentials=credentials,
    )
    return pika.BlockingConnection(parameters)


def say(exchange, event_type, *contents):
    connection = connect()
    channel = connection.channel()
    for content in contents:
        body = json.dumps(
            {
                "event_name": f"{exchange}.{event_type}",
                "content": json.loads(content),
                "context": {"channel": "python"},
                "meta": {
                    "version": "1.0",
                    "timestamp": datetime.datetime.utcnow().isoformat(),
                    "session_id": "a session of python's",
                },
            }
        )
        channel.basic_publish(exchange=exchange, routing_key=event_type, body=body.encode())
    connection.close()


def listen(exchange, event_type, group, count):
    connection = connect()
    channel = connection.channel()
    queue = f"{exchange}.{event_type}.{group}"
    channel.exchange_declare(exchange=exchange, exchange_type="topic", durable=True)
    channel.queue_declare(queue=queue, durable=True)
    channel.queue_bind(queue=queue, exchange=exchange, routing_key=event_type)
    channel.basic_qos(prefetch_count=1)
    left = int(count)
    print("ready", flush=True)
    for method, properties, body in channel.consume(queue):
        event = json.loads(body.decode("utf-8"))
        # Both sides agree on what these are.
        datetime.datetime.fromisoformat(event["meta"]["timestamp"])
        assert event["event_name"] == f"{exchange}.{event_type}"
        print(json.dumps({"body": event, "redelivered": method.redelivered}), flush=True)
        channel.basic_ack(method.delivery_tag)
        left -= 1
        if left == 0:
            break
    channel.cancel()
    connection.close()


if __name__ == "__main__":
    {"say": say, "listen": listen}[sys.argv[1]](*sys.argv[2:])
