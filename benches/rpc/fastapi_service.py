"""The booking service in Python: FastAPI with pydantic, behind uvicorn with uvloop and httptools.

    python3 -m venv /tmp/fastapi && /tmp/fastapi/bin/pip install fastapi "uvicorn[standard]"
    cargo run --profile service -p twyla-bench-rpc -- --fastapi /tmp/fastapi/bin/python
"""

import socket
import sys
import threading
from datetime import datetime
from typing import Annotated

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, Field

Code = Annotated[str, Field(pattern=r"^[A-Z0-9]{6}$")]
Airport = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class GetBookingRequest(BaseModel):
    pnr: Code


class Flight(BaseModel):
    number: Annotated[str, Field(pattern=r"^[A-Z0-9]{2}[0-9]{1,4}$")]
    departs: datetime
    to: Airport
    from_: Annotated[Airport, Field(alias="from")]


class Booking(BaseModel):
    pnr: Code
    passengers: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1, max_length=9)]
    flights: Annotated[list[Flight], Field(min_length=1)]
    price: Annotated[int, Field(ge=0)] | None = None


FLIGHTS = [
    {"number": "TW512", "from": "BER", "to": "LIS", "departs": "2026-05-04T08:15:00+02:00"},
    {"number": "TW513", "from": "LIS", "to": "BER", "departs": "2026-05-11T17:40:00+01:00"},
]
app = FastAPI()


@app.post("/rpc/get_booking")
async def get_booking(request: GetBookingRequest) -> Booking:
    passengers = ["Ada Lovelace", "Charles Babbage"]
    return Booking(pnr=request.pnr, passengers=passengers, flights=FLIGHTS, price=31880)


if __name__ == "__main__":
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))

    def until_the_end():
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=until_the_end, daemon=True).start()
    print("{}:{}".format(*listener.getsockname()), flush=True)
    server.run(sockets=[listener])
