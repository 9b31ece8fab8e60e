"""What each bootstrap costs: its size, its start, an event, its memory.

python tests/aws/bench_lambda.py FILE PROGRAM…: measures bootstraps (named after their functions, or in folders that are) against a small
Runtime API of its own, with events that scene.py makes, on the DynamoDB-compatible server that TEST_DYNAMODB_URL names; without TLS,
which that server does not speak. Needs the programs of all functions, since some of them prepare what others are asked to do.
Appends a line to FILE for each figure: name, figure, limit, goal, with tabs between them. Instructions are counted by callgrind.
"""

import contextlib
import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

from invoke import make_table
from run import OWNER
from scene import Scene

# The events of a run of which callgrind counts the instructions; the first one pays for the start.
WARM = 11
TABLE = "bench"
# Each event of theirs is a message, which goes to the visitor and the admin.
TALKING = ("message", "visitor", "telegram")
# Callgrind makes a program some fifty times slower.
PATIENCE = 120


class RuntimeApi(http.server.ThreadingHTTPServer):
    """Hands out events, one after the other; notes when the program was ready for one more than there are."""

    daemon_threads = True

    def __init__(self, events):
        super().__init__(("127.0.0.1", 0), Handler)
        self.events, self.responses = [json.dumps(event).encode() for event in events], []
        self.done, self.over = threading.Event(), threading.Event()
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
        if not api.events:
            api.done.set()
            # Held until the end, as Lambda does.
            api.over.wait(PATIENCE)
            return
        event = api.events.pop(0)
        deadline = int((time.time() + 3 * PATIENCE) * 1000)
        self.send_response(200)
        self.send_header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        self.send_header("lambda-runtime-deadline-ms", str(deadline))
        self.send_header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:bench")
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(event)))
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length) if length else read_chunks(self.rfile)
        self.server.responses.append((self.path.rsplit("/", 1)[1], body))
        self.send_response(202)
        self.send_header("content-length", "0")
        self.end_headers()


def read_chunks(file):
    body = b""
    while size := int(file.readline().strip() or b"0", 16):
        body += file.read(size)
        file.readline()
    file.readline()
    return body


def environment(endpoint):
    return {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_FUNCTION_NAME": "bench", "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
        # As long as a role's; it is part of what is signed.
        "AWS_SESSION_TOKEN": 13 * "IQoJb3JpZ2luX2VjEL3//////////wEaCXVzLWVhc3QtMSJHMEUCIQDexample+k",
        "DATABASE_URL": f"dynamodb://{TABLE}?endpoint={endpoint}&patience=20", "OTP_HASH_SALT": "0123456789abcdef0123456789abcdef",
    }


@contextlib.contextmanager
def invoked(command, events, env):
    """A program that has answered these events, and waits for another one; with its answers."""
    api = RuntimeApi(events)
    env = {**env, "AWS_LAMBDA_RUNTIME_API": api.address}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        if not api.done.wait(PATIENCE):
            process.kill()
            sys.exit(f"{command[-1]} never answered: {process.stderr.read().decode()}")
        for kind, body in api.responses:
            if kind != "response":
                sys.exit(f"{command[-1]} failed: {body.decode()}")
        yield process, [json.loads(body or "null") for _, body in api.responses]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()
        api.over.set()
        api.shutdown()
        api.server_close()


class House:
    """The programs by their functions' names, and what they are asked to do."""

    def __init__(self, programs, endpoint):
        self.programs = programs
        self.scene = Scene(self.answers, endpoint, TABLE, environment(endpoint))

    def answers(self, name, events, env):
        with invoked([self.programs[name]], events, env) as (_, answers):
            return answers

    @contextlib.contextmanager
    def asked(self, name, times, *wrapper):
        """A bootstrap that has done what it is for so many times."""
        events = self.scene.events(name, times)
        before = len(self.scene.peers.posts)
        with invoked([*wrapper, self.programs[name]], events, self.scene.environment) as (process, answers):
            for answer in answers:
                if isinstance(answer, dict) and (answer.get("statusCode", 200) != 200 or answer.get("batchItemFailures")):
                    sys.exit(f"{name} was asked {json.dumps(events[0])} and answered {json.dumps(answer)}")
            told = sum(frame["type"] == "message" for _, frame in self.scene.peers.posts[before:])
            if name in TALKING and told < 2 * times:
                sys.exit(f"{name} was asked for {times} messages, and told of {told} of them to visitor and admin")
            yield process

    def peak_memory(self, name):
        with self.asked(name, 1) as process:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024 / 1e6

    def instructions(self, name, times):
        """Millions of them, from the start until so many events are answered."""
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "callgrind"
            with self.asked(name, times, "valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"):
                pass
            return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE)[1]) / 1e6


def zipped(program):
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            archive.write(program, "bootstrap")
        return pathlib.Path(file.name).stat().st_size / 1e6


def name_of(program):
    """`message`, of `message` itself or of `MessageFunction/bootstrap`, where SAM puts it."""
    name = program.parent.name if program.name == "bootstrap" else program.name
    return name.removesuffix("Function").lower()


def main():
    figures, endpoint = pathlib.Path(sys.argv[1]), os.environ["TEST_DYNAMODB_URL"]
    programs = {name_of(program): str(program) for program in map(pathlib.Path, sys.argv[2:])}
    os.environ.update(OWNER)
    make_table(endpoint, TABLE)
    house = House(programs, endpoint)
    for name, program in programs.items():
        first, all_of_them = (house.instructions(name, times) for times in (1, WARM))
        with figures.open("a") as lines:
            for what, figure, limit, goal in [
                ("zip, MB", zipped(program), 4, 2.5),
                ("instructions to the first answer, millions", first, 60, 30),
                ("instructions of an event when warm, millions", (all_of_them - first) / (WARM - 1), 1, 0.4),
                ("peak memory, MB", house.peak_memory(name), 14, 8),
            ]:
                print(f"{name}: {what}\t{figure:.3f}\t{limit}\t{goal}", file=lines, flush=True)


main()
