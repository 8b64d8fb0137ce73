"""Calls from a Python program without Twyla: `plain.py requests URL` or `plain.py aiohttp URL`.

Prints a line of JSON for each call: status, content type, body.
"""

import asyncio
import json
import sys

CALLS = [
    ("look", {"id": 7, "tag": "grün"}),
    ("look", {"id": 7}),
    ("look", {"id": 0}),
    ("look", {"id": 404}),
    ("put", {"id": 2, "text": "grüße 😀"}),
    ("list", {"first": 2}),
]
HEADERS = {
    "twyla-context": json.dumps({"channel": "python", "user": "Zoë"}),
    "twyla-session": "a-session-of-pythons",
}


def shown(status, content_type, body):
    print(json.dumps({"status": status, "type": content_type, "body": body}), flush=True)


def with_requests(url):
    import requests

    with requests.Session() as session:
        session.trust_env = False
        for method, data in CALLS:
            answer = session.post(f"{url}/rpc/{method}", json=data, headers=HEADERS, timeout=10)
            shown(answer.status_code, answer.headers["content-type"], answer.json())


async def with_aiohttp(url):
    import aiohttp

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        for method, data in CALLS:
            async with session.post(f"{url}/rpc/{method}", json=data, headers=HEADERS) as answer:
                shown(answer.status, answer.content_type, await answer.json(content_type=None))


if sys.argv[1] == "requests":
    with_requests(sys.argv[2])
else:
    asyncio.run(with_aiohttp(sys.argv[2]))
