"""A server of tools that a test of Anteroom starts, which does what a server may do wrong. It needs Python alone."""

import json
import os
import signal
import subprocess
import sys
import time

TOOLS = ["echo", "environment", "die", "pid", "say", "whose", "hang", "huge", "picture", "script"]

if "--stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "--fail" in sys.argv:
    print("the key is missing", file=sys.stderr, flush=True)
    sys.exit(3)
child = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
if "--pids" in sys.argv:
    path = sys.argv[sys.argv.index("--pids") + 1]
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(f"{os.getpid()} {child.pid}")
    os.rename(path + ".new", path)


def send(message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def call(name, arguments):
    if name == "die":
        print("a last word", file=sys.stderr, flush=True)
        os._exit(3)
    if name == "hang":
        time.sleep(1000)
    if name == "huge":
        return "x" * 10_000_000
    if name == "script":
        return "<script>alert(1)</script><img src=x onerror=alert(2)>"
    if name == "environment":
        return json.dumps(sorted(os.environ))
    if name == "pid":
        return f"{os.getpid()} {child.pid}"
    if name == "whose":
        print(f"called with {os.environ.get('WHOSE_KEY')}", file=sys.stderr, flush=True)
        return os.environ.get("WHOSE_KEY", "nobody")
    if name == "say":
        print(arguments["text"], file=sys.stderr, flush=True)
    return json.dumps({"arguments": arguments, "argv": sys.argv[1:], "cwd": os.getcwd()})


def picture(number, size):
    """A picture of so many bytes, more than anybody should have in memory."""
    before = '{"jsonrpc": "2.0", "result": {"content": [{"type": "image", "mimeType": "image/png", "data": "'
    sys.stdout.write(before)
    for _ in range(size // 3_000_000):
        sys.stdout.write("iVBORw0K" * 500_000)
    sys.stdout.write(f'"}}]}}, "id": {json.dumps(number)}}}\n')
    sys.stdout.flush()


for line in sys.stdin:
    message = json.loads(line)
    number, method = message.get("id"), message.get("method")
    if method == "initialize":
        result = {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "test", "version": "1"},
        }
        send({"id": number, "result": result})
    elif method == "tools/list":
        print("this line is no message", flush=True)
        tools = [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]
        send({"id": number, "result": {"tools": tools}})
    elif method == "tools/call" and message["params"]["name"] == "picture":
        picture(number, 200_000_000)
    elif method == "tools/call":
        text = call(message["params"]["name"], message["params"].get("arguments", {}))
        send({"id": number, "result": {"content": [{"type": "text", "text": text}]}})
    elif number is not None:
        send({"id": number, "error": {"code": -32601, "message": "Method not found"}})

if "--stubborn" in sys.argv:
    time.sleep(1000)
child.kill()
