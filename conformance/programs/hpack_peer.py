"""The HPACK implementation of python-hyper as a peer: a request as JSON on stdin, its answer as JSON on stdout.

A request is a list of stories, each with an "operation" and its blocks. "decode": each block has "wire" in hex; the answer
has the fields. "encode": each block has "fields"; the answer has the wire. A "table" in a block is the table size that is in
force from there. Octets travel as latin-1 text. A story that fails answers with its error.
"""

import json
import sys

from hpack import Decoder, Encoder


def decode(blocks):
    decoder = Decoder(max_header_list_size=2**30)
    answers = []
    for block in blocks:
        if "table" in block:
            decoder.max_allowed_table_size = block["table"]
        fields = decoder.decode(bytes.fromhex(block["wire"]), raw=True)
        answers.append([[name.decode("latin-1"), value.decode("latin-1")] for name, value in fields])
    return answers


def encode(blocks):
    encoder = Encoder()
    answers = []
    for block in blocks:
        if "table" in block:
            encoder.header_table_size = block["table"]
        fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in block["fields"]]
        answers.append(encoder.encode(fields).hex())
    return answers


def answer(story):
    try:
        operation = {"decode": decode, "encode": encode}[story["operation"]]
        return {"blocks": operation(story["blocks"])}
    except Exception as error:  # Whatever it dislikes is the answer.
        return {"error": f"{type(error).__name__}: {error}"}


json.dump([answer(story) for story in json.load(sys.stdin)], sys.stdout)
