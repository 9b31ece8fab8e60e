"""Stands between the functions and the emulator, and writes down who makes which call."""

import http.client
import http.server
import json
import re
import threading

# In a header, or in the address of a call that is signed there.
CREDENTIAL = re.compile(r"Credential=([^/%]+)(?:/|%2F)")
# Objects of the bucket for files; a list has no key.
OBJECTS = {"GET": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
# What a part of a transaction needs to be allowed.
PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem"}


def calls(method, path, target, body):
    """What IAM calls a request: an action and what it is done to."""
    if "X-Amz-Signature=" in path:
        _, _, key = path.partition("?")[0].strip("/").partition("/")
        return {(f"s3:{OBJECTS[method] if key else 'ListBucket'}", "files")}
    if "/@connections/" in path:
        return {("execute-api:ManageConnections", "sockets")}
    action = target.rpartition(".")[2]
    if not target.startswith("DynamoDB_"):
        return set()
    if action.startswith("Transact"):
        items = json.loads(body)["TransactItems"]
        return {(f"dynamodb:{PARTS[part]}", "table") for item in items for part in item}
    return {(f"dynamodb:{action}", "index" if "IndexName" in json.loads(body) else "table")}


class Recorder:
    """A proxy in front of the emulator, on a port of its own."""

    def __init__(self, emulator_port):
        self.seen = {}
        self.lock = threading.Lock()
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                recorder.note(self.command, self.path, self.headers, body)
                onward = http.client.HTTPConnection("127.0.0.1", emulator_port, timeout=30)
                try:
                    onward.request(self.command, self.path, body, dict(self.headers))
                    answer = onward.getresponse()
                    data = answer.read()
                except OSError:
                    # The emulator stops while functions still run.
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                onward.close()

            do_GET = do_POST = do_PUT = do_DELETE = pass_on

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def note(self, method, path, headers, body):
        found = CREDENTIAL.search(headers.get("authorization", path))
        if found:
            made = calls(method, path, headers.get("x-amz-target", ""), body)
            with self.lock:
                self.seen.setdefault(found[1], set()).update(made)

    def made_by(self, key):
        with self.lock:
            return set(self.seen.get(key, ()))
