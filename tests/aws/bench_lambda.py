"""What each bootstrap costs to start, as a table in Markdown.

python tests/aws/bench_lambda.py FOLDER: measures the programs in FOLDER against a small Runtime API of its own, with the events of
tests/events, on the DynamoDB-compatible server that TEST_DYNAMODB_URL names. Without TLS, which that server does not speak.
Instructions are counted by callgrind when it is there.
"""

import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

from invoke import make_table
from run import OWNER, ROOT

FUNCTIONS = ["hello", "connect", "message", "disconnect", "visitor", "admin", "telegram", "notifier", "maintenance"]
RUNS = 11
TABLE = "bench"
# Callgrind makes a program some fifty times slower.
PATIENCE = 120


class RuntimeApi(http.server.ThreadingHTTPServer):
    """Hands out one event; notes when it was asked for one and what it was answered."""

    daemon_threads = True

    def __init__(self, event):
        super().__init__(("127.0.0.1", 0), Handler)
        self.event, self.polled, self.answered = event, threading.Event(), threading.Event()
        self.give, self.polled_at = threading.Event(), None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """A program that was stopped hangs up."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        api = self.server
        api.polled_at = api.polled_at or time.monotonic()
        api.polled.set()
        api.give.wait(PATIENCE)
        if api.answered.is_set():
            # There is one event only; the next poll is held until the end.
            time.sleep(PATIENCE)
        deadline = int((time.time() + 3 * PATIENCE) * 1000)
        self.send_response(200)
        self.send_header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        self.send_header("lambda-runtime-deadline-ms", str(deadline))
        self.send_header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:bench")
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(api.event)))
        self.end_headers()
        self.wfile.write(api.event)

    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length) if length else read_chunks(self.rfile)
        self.server.response = (self.path.rsplit("/", 1)[1], body)
        self.send_response(202)
        self.send_header("content-length", "0")
        self.end_headers()
        self.server.answered.set()


def read_chunks(file):
    body = b""
    while size := int(file.readline().strip() or b"0", 16):
        body += file.read(size)
        file.readline()
    file.readline()
    return body


def environment(api, endpoint):
    return {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": api.address, "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
        "DATABASE_URL": f"dynamodb://{TABLE}?endpoint={endpoint}", "PUBLIC_URL": "https://chat.example.com",
        "WEBSOCKET_ENDPOINT": "http://127.0.0.1:9/live", "OTP_HASH_SALT": "0123456789abcdef0123456789abcdef",
    }


@contextlib.contextmanager
def started(command, api, endpoint):
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment(api, endpoint), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        if not api.polled.wait(PATIENCE):
            process.kill()
            sys.exit(f"{command[-1]} never asked for an event: {process.stderr.read().decode()}")
        yield process, began
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()
        api.shutdown()
        api.server_close()


def resident(process):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text())[1]) / 1024


def answer(api, program):
    api.give.set()
    if not api.answered.wait(PATIENCE):
        sys.exit(f"{program} never answered")
    kind, body = api.response
    if kind != "response":
        sys.exit(f"{program} failed: {body.decode()}")


def run_once(program, event, endpoint):
    api = RuntimeApi(event)
    with started([program], api, endpoint) as (process, began):
        start = (api.polled_at - began) * 1000
        answer(api, program)
        return start, resident(process)


def instructions(program, event, endpoint, to_response):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "callgrind"
        api = RuntimeApi(event)
        with started(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", program], api, endpoint):
            if to_response:
                answer(api, program)
        return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE)[1]) / 1e6


def zipped(program):
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            archive.write(program, "bootstrap")
        return pathlib.Path(file.name).stat().st_size / 1e6


def main():
    binaries, events, endpoint = pathlib.Path(sys.argv[1]), ROOT / "tests/events", os.environ["TEST_DYNAMODB_URL"]
    os.environ.update(OWNER)
    make_table(endpoint, TABLE)
    counts = shutil.which("valgrind") is not None
    print("| function | zip, MB | start, ms | resident, MB | instructions to start, M | to the first answer, M |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in FUNCTIONS:
        program, file = str(binaries / name), events / f"{name}.json"
        event = file.read_bytes() if file.exists() else json.dumps({}).encode()
        runs = [run_once(program, event, endpoint) for _ in range(RUNS)]
        start, memory = (statistics.median(column) for column in zip(*runs))
        counted = [f"{instructions(program, event, endpoint, to):.1f}" if counts else "" for to in (False, True)]
        print(f"| {name} | {zipped(program):.2f} | {start:.1f} | {memory:.1f} | {counted[0]} | {counted[1]} |", flush=True)


main()
