"""fuzz_graphql.py SCHEMA URL TOKEN EXAMPLES ID…: asks the server whatever the schema allows, with schemathesis.

Every operation is asked so often, with the ids that are named among others. It fails if the server does: an error has to have
a code that says whose fault it is. The run is the same every time.
"""

import os
import re
import sys
import tempfile
from pathlib import Path

import schemathesis
from hypothesis import strategies
from hypothesis_graphql import nodes
from schemathesis.cli import schemathesis as command_line

SCHEMA, URL, TOKEN, EXAMPLES, *IDS = sys.argv[1:]
THE_SERVERS_FAULT = {None, "INTERNAL", "TIMEOUT"}

SCALARS = {
    "DateTime": strategies.datetimes().map(lambda time: time.isoformat() + "Z"),
    "JSON": strategies.text(),
    "KnownId": strategies.sampled_from(IDS) | strategies.text(),
    "LogPosition": (strategies.integers(0, 100) | strategies.integers(0, 2**64)).map(str),
    "SemVer": strategies.from_regex(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(-[a-z]{1,5})?", fullmatch=True),
    "Sha256": strategies.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True),
    "UUID": strategies.uuids().map(str),
}
for name, values in SCALARS.items():
    # One in a while is not of the type at all.
    schemathesis.graphql.scalar(name, (values | values | values | strategies.text()).map(nodes.String))


@schemathesis.check
def errors_are_coded(_context, response, _case):
    assert response.status_code < 500, f"the status is {response.status_code}"
    for error in response.json().get("errors", []):
        code = error.get("extensions", {}).get("code")
        assert code not in THE_SERVERS_FAULT, error


# Ids of the server's own are among those that are asked for, which takes a type of their own.
schema = "scalar KnownId\n" + re.sub(r": (\[?)ID\b", r": \1KnownId", Path(SCHEMA).read_text())
with tempfile.TemporaryDirectory() as folder:
    # It keeps notes where it is run.
    os.chdir(folder)
    Path("schema.graphql").write_text(schema)
    command_line(
        [
            "run",
            "schema.graphql",
            f"--url={URL}",
            f"--header=Authorization: Bearer {TOKEN}",
            f"--max-examples={EXAMPLES}",
            "--checks=errors_are_coded",
            "--generation-deterministic",
            "--no-color",
            "--warnings=off",
        ]
    )
