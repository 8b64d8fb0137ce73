"""A service over RabbitMQ: what it emits and listens to is declared, so that its manifest is complete."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Any, TypeVar, cast
from uuid import UUID, uuid4

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from pydantic import BaseModel, ValidationError

from .contract import Contract
from .contracts import CONTEXT, CONTRACTS, EVENTS
from .envelope import Envelope, Meta
from .models import Context
from .validation import ContractError, bundles, parse

E = TypeVar("E", bound=BaseModel)
Handler = Callable[[E, Context, Meta], Awaitable[None]]

_log = logging.getLogger(__name__)


class NotDeclared(TypeError):
    """An event that the service emits without having declared it, or a type that isn't an event."""


@dataclass(frozen=True)
class _Listener:
    contract: Contract[Any]
    group: str
    handler: Callable[[Any, Context, Meta], Awaitable[None]]

    @property
    def queue(self) -> str:
        return f"{self.contract.name}.{self.group}"


def _contract(event: type[BaseModel]) -> Contract[Any]:
    name = EVENTS.get(event)
    if name is None:
        raise NotDeclared(f"{event.__name__} is not the model of an event's content")
    return CONTRACTS[name]


class Service:
    """A service: its name and version, the events that it emits, and its listeners.

    >>> service = Service("greeter", "1.4.0", emits=[Reply])
    >>> @service.listener(UserInput, group="greeter")
    ... async def answer(content: UserInput, context: Context, meta: Meta) -> None:
    ...     await service.emit(Reply(text="hello"), context, meta.session_id)
    >>> asyncio.run(service.run("amqp://guest:guest@localhost/"))
    """

    def __init__(self, name: str, version: str, *, emits: Iterable[type[BaseModel]] = ()) -> None:
        self.name = name
        self.version = version
        self._emits = {event: _contract(event) for event in emits}
        self._listeners: list[_Listener] = []
        self._channel: AbstractChannel | None = None
        self._exchanges: dict[str, aio_pika.abc.AbstractExchange] = {}
        self._stop: asyncio.Event | None = None
        self._ready: asyncio.Event | None = None

    def listener(self, event: type[E], group: str) -> Callable[[Handler[E]], Handler[E]]:
        """Registers a handler. An event that it raises on, or that breaks its contract, goes to the group's dead queue."""

        def register(handler: Handler[E]) -> Handler[E]:
            contract = _contract(event)
            if any(it.contract.name == contract.name and it.group == group for it in self._listeners):
                raise ValueError(f"the group {group} already listens to {contract.name}")
            self._listeners.append(_Listener(contract, group, handler))
            return handler

        return register

    async def emit(self, content: BaseModel, context: Context, session_id: UUID | None = None) -> None:
        """Emits an event, and returns when the broker has confirmed it.

        Raises `NotDeclared` if the service doesn't declare the event, and `ContractError` if it breaks its contract.
        """
        contract = self._emits.get(type(content))
        if contract is None:
            raise NotDeclared(f"{self.name} doesn't declare that it emits {type(content).__name__}: add it to `emits`")
        if self._channel is None:
            raise RuntimeError(f"{self.name} isn't connected: emit while it runs")
        meta = Meta() if session_id is None else Meta(session_id=session_id)
        envelope = Envelope(
            event_name=contract.name,
            content=contract.encode(content),
            context=CONTEXT.encode(context),
            meta=meta,
        )
        domain, _, event_type = contract.name.partition(".")
        message = aio_pika.Message(
            envelope.model_dump_json().encode(),
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=str(uuid4()),
            timestamp=meta.timestamp,
            app_id=self.name,
        )
        exchange = await self._exchange(domain)
        await exchange.publish(message, routing_key=event_type, mandatory=False)

    async def run(self, url: str) -> None:
        """Handles events until `stop` is called or the task is cancelled."""
        self._stop = asyncio.Event()
        connection = await aio_pika.connect_robust(url)
        async with connection:
            self._channel = await connection.channel(publisher_confirms=True)
            await self._channel.set_qos(prefetch_count=32)
            consumed: list[tuple[AbstractQueue, str]] = []
            try:
                for listener in self._listeners:
                    queue = await self._queue(connection, listener)
                    tag = await queue.consume(partial(self._handle, listener))
                    consumed.append((queue, tag))
                self._is_ready().set()
                await self._stop.wait()
                for queue, tag in consumed:
                    await queue.cancel(tag)
            finally:
                self._channel = None
                self._exchanges.clear()

    async def ready(self) -> None:
        """Returns when `run` is connected and its listeners consume."""
        await self._is_ready().wait()

    def stop(self) -> None:
        """Ends `run`."""
        if self._stop is not None:
            self._stop.set()

    def manifest(self) -> dict[str, Any]:
        """Returns the manifest, as `cargo twyla manifest` makes it of a Rust service."""
        emits = [
            {"event": it.name, "content": it.digest, "context": CONTEXT.digest} for it in self._emits.values()
        ]
        listens = [
            {
                "event": it.contract.name,
                "group": it.group,
                "content": it.contract.digest,
                "context": CONTEXT.digest,
                "handler": f"{it.handler.__module__}:{getattr(it.handler, '__qualname__', 'handler')}",
            }
            for it in self._listeners
        ]
        used = {digest for it in [*emits, *listens] for digest in (it["content"], it["context"])}
        return {
            "format": "twyla-contracts 1",
            "service": self.name,
            "version": self.version,
            "emits": sorted(emits, key=lambda it: it["event"]),
            "listens": sorted(listens, key=lambda it: (it["event"], it["group"])),
            "serves": [],
            "calls": [],
            "schemas": {digest: bundles()[digest] for digest in sorted(used)},
        }

    def _is_ready(self) -> asyncio.Event:
        if self._ready is None:
            self._ready = asyncio.Event()
        return self._ready

    async def _exchange(self, domain: str) -> aio_pika.abc.AbstractExchange:
        known = self._exchanges.get(domain)
        if known is None:
            channel = cast(AbstractChannel, self._channel)
            known = await channel.declare_exchange(domain, aio_pika.ExchangeType.TOPIC, durable=True)
            self._exchanges[domain] = known
        return known

    async def _queue(self, connection: aio_pika.abc.AbstractConnection, listener: _Listener) -> AbstractQueue:
        domain, _, event_type = listener.contract.name.partition(".")
        exchange = await self._exchange(domain)
        await self._declared(connection, f"{listener.queue}.dead")
        queue = await self._declared(connection, listener.queue)
        await queue.bind(exchange, event_type)
        return queue

    async def _declared(self, connection: aio_pika.abc.AbstractConnection, name: str) -> AbstractQueue:
        """Returns a queue. An existing queue keeps its arguments."""
        channel = cast(AbstractChannel, self._channel)
        probe = await connection.channel()
        try:
            await probe.get_queue(name, ensure=True)
        except aio_pika.exceptions.ChannelNotFoundEntity:
            return await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})
        finally:
            await probe.close()
        return await channel.get_queue(name, ensure=False)

    async def _handle(self, listener: _Listener, message: AbstractIncomingMessage) -> None:
        try:
            try:
                envelope = Envelope.model_validate(parse(message.body))
                if envelope.event_name != listener.contract.name:
                    raise ValueError(f"event_name is {envelope.event_name!r}")
            except ValidationError as error:
                # without the values, which may be sensitive
                faults = (f"/{'/'.join(map(str, it['loc']))}: {it['msg']}" for it in error.errors(include_input=False))
                await self._dead(message, listener, "envelope", "; ".join(faults))
                return
            except (ValueError, RecursionError) as error:
                await self._dead(message, listener, "envelope", str(error))
                return
            try:
                content = listener.contract.decode(envelope.content)
                context = CONTEXT.decode(envelope.context)
            except ContractError as error:
                await self._dead(message, listener, "contract", str(error))
                return
            except Exception as error:  # noqa: BLE001 - what Python reads and JSON doesn't have, such as half a surrogate pair
                await self._dead(message, listener, "contract", f"{listener.contract.name}: {type(error).__name__}")
                return
            try:
                await listener.handler(content, context, envelope.meta)
            except Exception as error:  # noqa: BLE001 - whatever the handler raises
                _log.exception("%s failed", listener.queue)
                await self._dead(message, listener, "handler", f"{type(error).__name__}: {error}")
                return
            await message.ack()
        except Exception:  # noqa: BLE001 - the broker takes the delivery back
            _log.exception("%s can't be settled", listener.queue)

    async def _dead(
        self, message: AbstractIncomingMessage, listener: _Listener, reason: str, error: str
    ) -> None:
        """Moves an event to the group's dead queue: confirmed there, and only then acked."""
        channel = cast(AbstractChannel, self._channel)
        name = f"{listener.queue}.dead"
        letter = aio_pika.Message(
            message.body,
            headers={
                **(message.headers or {}),
                "x-twyla-reason": reason,
                "x-twyla-error": error[:1000].encode(errors="replace").decode(),
                "x-twyla-event": listener.contract.name,
                "x-twyla-group": listener.group,
                "x-twyla-exchange": message.exchange or "",
                "x-twyla-routing-key": message.routing_key or "",
                "x-twyla-attempts": 1,
                "x-twyla-parked-at": datetime.now(timezone.utc).isoformat(),
            },
            content_type=message.content_type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=message.message_id,
            timestamp=message.timestamp,
            app_id=message.app_id,
        )
        await channel.default_exchange.publish(letter, routing_key=name, mandatory=True)
        await message.ack()
