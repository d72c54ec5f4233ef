"""Verifies the DSSE envelopes of an export bundle with `securesystemslib`. Prints the subject digest of each.

Arguments: the bundle, and the public key in PEM that somebody trusts.
"""

import base64
import json
import sys
import zipfile

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

bundle, key_path = sys.argv[1:]
with open(key_path, "rb") as file:
    public_key = load_pem_public_key(file.read())
with zipfile.ZipFile(bundle) as archive:
    assert archive.testzip() is None
    for name in sorted(archive.namelist()):
        if not name.endswith(".dsse.json"):
            continue
        document = json.loads(archive.read(name))
        key = SSlibKey.from_crypto(public_key, keyid=document["signatures"][0]["keyid"])
        envelope = Envelope.from_dict(document)
        envelope.verify([key], 1)
        assert envelope.payload_type == "application/vnd.in-toto+json"
        statement = json.loads(envelope.payload)
        assert statement["_type"] == "https://in-toto.io/Statement/v1"
        for subject in statement["subject"]:
            print(subject["name"], subject["digest"]["sha256"])
