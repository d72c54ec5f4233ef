"""Reads CloudEvents with the `cloudevents` package: a JSON batch, or JSON Lines. Prints "type position" of each."""

import json
import sys

from cloudevents.core.bindings.http import HTTPMessage, from_structured_event

kind, path = sys.argv[1:]
with open(path, "rb") as file:
    raw = file.read()
events = [json.dumps(event).encode() for event in json.loads(raw)] if kind == "batch" else raw.splitlines()
for body in events:
    message = HTTPMessage(headers={"content-type": "application/cloudevents+json"}, body=body)
    event = from_structured_event(message)
    assert event.get_data(), "an event without data"
    print(event.get_type(), event.get_extension("position"))
