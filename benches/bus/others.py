"""The cost of an event in Python: aio-pika and FastStream, each with pydantic, to compare with twyla-bench-bus.

    python3 -m venv /tmp/others && /tmp/others/bin/pip install "faststream[rabbit]" aio-pika pydantic
    cargo xtask with-broker /tmp/others/bin/python benches/bus/others.py
"""

import asyncio
import os
import resource
import time
import uuid
from datetime import datetime, timezone

import aio_pika
from faststream import AckPolicy
from faststream.rabbit import Channel, ExchangeType, QueueType, RabbitBroker, RabbitExchange, RabbitQueue
from pydantic import BaseModel

EVENTS = int(os.environ.get("EVENTS", "10000"))
TOGETHER = 100
EXCHANGE, KEY, QUEUE = "api", "user_input", "api.user_input.python"


class UserInput(BaseModel):
    emission: str
    language: str | None = None
    attempt: int | None = None


class Context(BaseModel):
    channel: str
    user: str | None = None


class Meta(BaseModel):
    version: int
    timestamp: datetime
    session_id: str


class Envelope(BaseModel):
    event_name: str
    content: UserInput
    context: Context
    meta: Meta


def envelope() -> Envelope:
    said = "I would like to change the seats of my booking from Berlin to Lisbon, two of them, by the window, please."
    return Envelope(
        event_name="api.user_input",
        content=UserInput(emission=said, language="en", attempt=1),
        context=Context(channel="web", user="Ada"),
        meta=Meta(version=1, timestamp=datetime.now(timezone.utc), session_id=str(uuid.uuid4())),
    )


def url() -> str:
    at = {part: os.environ[f"TWYLA_TEST_AMQP_{part}"] for part in ("HOST", "PORT", "USER", "PASS")}
    return f"amqp://{at['USER']}:{at['PASS']}@{at['HOST']}:{at['PORT']}/"


class Clock:
    def __init__(self, name: str):
        self.name, self.wall, self.cpu = name, time.monotonic(), self.used()

    @staticmethod
    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    def tell(self):
        cpu, wall = self.used() - self.cpu, time.monotonic() - self.wall
        print(f"| {self.name:<20} | {cpu / EVENTS * 1e6:>8.1f} | {EVENTS / wall:>8.0f} |", flush=True)


async def in_parts(publish):
    for _ in range(0, EVENTS, TOGETHER):
        await asyncio.gather(*(publish() for _ in range(TOGETHER)))


async def with_aio_pika():
    connection = await aio_pika.connect_robust(url())
    channel = await connection.channel(publisher_confirms=True)
    await channel.set_qos(prefetch_count=1000)
    exchange = await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
    queue = await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
    await queue.bind(exchange, KEY)

    async def publish():
        body = envelope().model_dump_json(exclude_none=True).encode()
        message = aio_pika.Message(body, content_type="application/json", delivery_mode=2, message_id=str(uuid.uuid4()))
        await exchange.publish(message, KEY)

    clock = Clock("emit, aio-pika")
    await in_parts(publish)
    clock.tell()

    left, done = EVENTS, asyncio.Event()

    async def take(message):
        nonlocal left
        Envelope.model_validate_json(message.body)
        await message.ack()
        left -= 1
        if left == 0:
            done.set()

    clock = Clock("listen, aio-pika")
    await queue.consume(take)
    await done.wait()
    clock.tell()
    await connection.close()


async def with_faststream():
    broker = RabbitBroker(url(), default_channel=Channel(prefetch_count=1000), logger=None)
    exchange = RabbitExchange(EXCHANGE, type=ExchangeType.TOPIC, durable=True)
    queue = RabbitQueue(QUEUE, durable=True, queue_type=QueueType.QUORUM, routing_key=KEY)
    left, done = EVENTS, asyncio.Event()

    @broker.subscriber(queue, exchange, ack_policy=AckPolicy.NACK_ON_ERROR)
    async def take(event: Envelope):
        nonlocal left
        left -= 1
        if left == 0:
            done.set()

    await broker.connect()

    async def publish():
        await broker.publish(envelope(), exchange=exchange, routing_key=KEY, persist=True)

    clock = Clock("emit, FastStream")
    await in_parts(publish)
    clock.tell()

    clock = Clock("listen, FastStream")
    await broker.start()
    await done.wait()
    clock.tell()
    await broker.stop()


async def main():
    print(f"{EVENTS} events\n\n| work                 | µs CPU   | a second |\n|----------------------|---------:|---------:|")
    await with_aio_pika()
    await with_faststream()


asyncio.run(main())
