"""Takes the payment of each order: `python payments.py`, with EVENT_BUS_AMQP_URL or a broker on this machine."""

from __future__ import annotations

import asyncio
import os
import signal

from platform_contracts import Context, Meta, Service
from platform_contracts.models import OrdersOrderPlaced, PaymentsPaymentReceived

service = Service("payments", "1.0.0", emits=[PaymentsPaymentReceived])


@service.listener(OrdersOrderPlaced, group="payments")
async def charge(order: OrdersOrderPlaced, context: Context, meta: Meta) -> None:
    print(f"{order.order_id}: {order.cents} cents from {context.customer}", flush=True)
    received = PaymentsPaymentReceived(order_id=order.order_id, receipt=f"R-{order.order_id}", method="card")
    await service.emit(received, context, meta.session_id)


async def main() -> None:
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, service.stop)
    running = asyncio.create_task(service.run(os.environ.get("EVENT_BUS_AMQP_URL", "amqp://guest:guest@localhost/")))
    ready = asyncio.create_task(service.ready())
    await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED)
    if ready.done():
        print("payments waits for orders; ctrl-C ends", flush=True)
    await running


if __name__ == "__main__":
    asyncio.run(main())
