"""Asks the real libpq. One JSON object a line in, one out, in the same order.

{"op": "parse", "text": ...}           PQconninfoParse
{"op": "start", "text": ..., "env": {...}?}   PQconnectStart: what it says at once, the options it
                                       arrived at (PQconninfo), and the password (PQpass)

Values come back as hexadecimal bytes, because libpq's need not be UTF-8.
"""

import ctypes
import json
import os
import sys


class Option(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("keyword", "envvar", "compiled", "val", "label", "dispchar")]
    _fields_ += [("dispsize", ctypes.c_int)]


Options = ctypes.POINTER(Option)
libpq = ctypes.CDLL(sys.argv[1])
libpq.PQconninfoParse.restype = Options
libpq.PQconninfoParse.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p)]
libpq.PQconninfo.restype = Options
libpq.PQconninfo.argtypes = [ctypes.c_void_p]
libpq.PQconninfoFree.argtypes = [Options]
libpq.PQfreemem.argtypes = [ctypes.c_void_p]
libpq.PQconnectStart.restype = ctypes.c_void_p
libpq.PQconnectStart.argtypes = [ctypes.c_char_p]
libpq.PQerrorMessage.restype = ctypes.c_char_p
libpq.PQerrorMessage.argtypes = [ctypes.c_void_p]
libpq.PQpass.restype = ctypes.c_char_p
libpq.PQpass.argtypes = [ctypes.c_void_p]
libpq.PQfinish.argtypes = [ctypes.c_void_p]


def values(options):
    found = {}
    index = 0
    while options[index].keyword:
        if options[index].val is not None:
            found[options[index].keyword.decode()] = options[index].val.hex()
        index += 1
    libpq.PQconninfoFree(options)
    return found


def parse(text):
    problem = ctypes.c_void_p()
    options = libpq.PQconninfoParse(text, ctypes.byref(problem))
    if options:
        return {"ok": True, "values": values(options)}
    message = ctypes.cast(problem, ctypes.c_char_p).value or b""
    libpq.PQfreemem(problem)
    return {"ok": False, "message": message.decode("utf-8", "replace")}


def start(text, env):
    for name in [name for name in os.environ if name.startswith("PG") or name == "HOME"]:
        del os.environ[name]
    os.environ.update(env)
    connection = libpq.PQconnectStart(text)
    message = (libpq.PQerrorMessage(connection) or b"").decode("utf-8", "replace")
    answer = {"message": message, "password": (libpq.PQpass(connection) or b"").hex()}
    options = libpq.PQconninfo(connection)
    answer["values"] = values(options) if options else {}
    libpq.PQfinish(connection)
    return answer


for line in sys.stdin:
    question = json.loads(line)
    text = question["text"].encode()
    if question["op"] == "parse":
        answer = parse(text)
    else:
        answer = start(text, question.get("env", {}))
    print(json.dumps(answer), flush=True)
