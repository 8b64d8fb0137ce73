"""A member of a platform that still runs the Python original, built on the libraries that the original uses.

usage: peer.py emit EVENT                  emits an event for each line of standard input, a JSON object of
                                           `content`, `context` and, if given, `session_id`
       peer.py listen EVENT GROUP ANSWER   answers each event with `ack`, `reject` (back to the queue) or `drop`
       peer.py echo EVENT GROUP TO         emits each event's content, context and session again as the event TO

TWYLA_TEST_SCHEMATA is `{"content": SCHEMA, "context": SCHEMA}`, which hold for events on the way in and out.
A listener prints `ready`, then one JSON object for each delivery, and ends when its standard input does.
A delivery that the model or a schema refuses raises in the callback, as in the original: it stays unacknowledged.
"""

import asyncio
import json
import logging
import os
import sys
from datetime import datetime
from uuid import UUID, uuid4

import aioamqp
import jsonschema
from pydantic import BaseModel

SCHEMATA = json.loads(os.environ["TWYLA_TEST_SCHEMATA"])


class Meta(BaseModel):
    """Naive local time; as in the original, defaults are evaluated once per process, not per event."""

    version: int = 1
    timestamp: datetime = datetime.now()
    session_id: UUID = uuid4()


class EventPayload(BaseModel):
    event_name: str
    content: dict
    context: dict
    meta: Meta = Meta()

    @classmethod
    def read(cls, body):
        return cls.parse_raw(body).validated()

    def validated(self):
        jsonschema.validate(self.content, SCHEMATA["content"])
        jsonschema.validate(self.context, SCHEMATA["context"])
        return self

    def written(self):
        def default(value):
            if isinstance(value, datetime):
                return value.isoformat()
            if isinstance(value, UUID):
                return str(value)
            raise TypeError(type(value).__name__)

        return json.dumps(self.dict(), default=default)


async def connect():
    _, protocol = await aioamqp.connect(
        os.environ["TWYLA_TEST_AMQP_HOST"],
        int(os.environ.get("TWYLA_TEST_AMQP_PORT", "5672")),
        os.environ["TWYLA_TEST_AMQP_USER"],
        os.environ["TWYLA_TEST_AMQP_PASS"],
        os.environ.get("TWYLA_TEST_AMQP_VHOST", "/"),
    )
    return protocol, await protocol.channel()


async def disconnect(protocol, channel):
    await channel.close()
    await protocol.close()


async def standard_input():
    reader = asyncio.StreamReader(limit=2**26)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def publish(channel, payload):
    """No properties, no confirm, and no declaration of the exchange."""
    domain, event_type = payload.event_name.split(".", 1)
    await channel.publish(payload=payload.validated().written(), exchange_name=domain, routing_key=event_type)


def report(**fields):
    print(json.dumps(fields, default=str), flush=True)


async def emit(event):
    lines = await standard_input()
    protocol, channel = await connect()
    while line := await lines.readline():
        given = json.loads(line)
        meta = {"session_id": given["session_id"]} if "session_id" in given else {}
        payload = EventPayload(event_name=event, content=given["content"], context=given["context"], meta=Meta(**meta))
        await publish(channel, payload)
    await disconnect(protocol, channel)


async def consume(event, group, handle):
    lines = await standard_input()
    reported = []
    # aioamqp logs what its callback raises
    logging.getLogger("aioamqp.protocol").addFilter(lambda record: not (record.exc_info and record.exc_info[1] in reported))
    protocol, channel = await connect()
    domain, event_type = event.split(".", 1)
    queue = f"{domain}.{event_type}.{group}"
    await channel.exchange_declare(exchange_name=domain, type_name="topic", durable=True)
    await channel.queue_declare(queue, durable=True)
    await channel.queue_bind(exchange_name=domain, queue_name=queue, routing_key=event_type)

    async def callback(channel, body, envelope, properties):
        redelivered = envelope.is_redeliver
        present = {name: getattr(properties, name) for name in properties.__slots__}
        present = {name: value for name, value in present.items() if value not in (None, "")}
        try:
            payload = EventPayload.read(body)
        except Exception as error:
            report(refused=str(error), redelivered=redelivered, properties=present)
            reported.append(error)
            raise
        await handle(channel, envelope.delivery_tag, payload)
        report(payload=payload.dict(), redelivered=redelivered, properties=present)

    await channel.basic_consume(callback=callback, queue_name=queue)
    print("ready", flush=True)
    await lines.read()
    await disconnect(protocol, channel)


async def listen(event, group, answer):
    async def handle(channel, tag, payload):
        if answer == "ack":
            await channel.basic_client_ack(delivery_tag=tag)
        else:
            await channel.basic_reject(delivery_tag=tag, requeue=answer == "reject")

    await consume(event, group, handle)


async def echo(event, group, to):
    async def handle(channel, tag, payload):
        meta = Meta(session_id=payload.meta.session_id)
        await publish(
            channel, EventPayload(event_name=to, content=payload.content, context=payload.context, meta=meta)
        )
        await channel.basic_client_ack(delivery_tag=tag)

    await consume(event, group, handle)


if __name__ == "__main__":
    asyncio.run({"emit": emit, "listen": listen, "echo": echo}[sys.argv[1]](*sys.argv[2:]))
