"""What the platform's formatter, `twyla.logging`, writes: for a Python record, and for the record described by a log line.

Reads a line of a service's log, and prints a JSON object with `python` and `line`.
"""

import json
import logging
import sys
import time

from twyla.logging.formatters import LogglyJSONFormatter

# its constructor passes itself as the format, which Python checks from 3.8 on
formatter = LogglyJSONFormatter(validate=False)
formatter.converter = time.gmtime


def format_with(logger, level, path, number, function, message, extra):
    record = logger.makeRecord(logger.name, level, path, number, message, (), None, function, extra)
    return record, formatter.format(record)


line = json.loads(sys.stdin.readline())
_, python = format_with(logging.getLogger("a.logger"), logging.INFO, "a/path/file.py", 7, "a_function", "said", {"a": 1})

record, _ = format_with(
    logging.getLogger(line["loggerName"]),
    line["levelNo"],
    line["fileName"],
    line["lineNo"],
    line["functionName"],
    line["message"],
    line["extra"],
)
record.created = line["logRecordCreationTime"]
record.msecs = line["time"]
print(json.dumps({"python": python, "line": formatter.format(record)}))
