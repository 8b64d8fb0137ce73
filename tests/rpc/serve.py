"""A Python service that reads the headers of a call, as the page on RPC documents them, with the standard library.

Prints its port, then a JSON object for each call. It is busy at the first, and answers the second.
"""

import json
import sys
import uuid
from datetime import timedelta

from aiohttp import web

calls = []


async def look(request):
    headers = request.headers
    timeout = timedelta(milliseconds=int(headers["twyla-timeout-ms"]))
    version, trace, span, flags = headers["traceparent"].split("-")
    call = {
        "content_type": request.content_type,
        "body": await request.json(),
        "context": json.loads(headers["twyla-context"]),
        "session": str(uuid.UUID(headers["twyla-session"])),
        "seconds": timeout.total_seconds(),
        # a structured field of type string (RFC 8941): within these characters it is a JSON string too
        "key": json.loads(headers["idempotency-key"]),
        "attempt": int(headers.get("twyla-attempt", "1")),
        "trace": [int(version, 16), len(bytes.fromhex(trace)), len(bytes.fromhex(span)), int(flags, 16)],
    }
    calls.append(call)
    print(json.dumps(call), flush=True)
    if len(calls) == 1:
        problem = {"type": "urn:twyla:rpc:busy", "title": "busy", "status": 503, "detail": "no place"}
        return web.json_response(problem, status=503, content_type="application/problem+json", headers={"retry-after": "0"})
    return web.json_response({"id": call["body"]["id"], "text": "grüße"})


async def started(app):
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)


if __name__ == "__main__":
    import asyncio

    app = web.Application()
    app.router.add_post("/rpc/look", look)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(started(app))
    loop.run_until_complete(loop.run_in_executor(None, sys.stdin.read))
