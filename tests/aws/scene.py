"""What bootstraps are asked to do while their costs are counted: what people ask of them every day.

Everything that comes before an event (a visitor joins, an admin logs in) is done by the bootstraps themselves.
"""

import base64
import copy
import http.server
import json
import pathlib
import re
import threading
import time

import boto3

ROOT = pathlib.Path(__file__).resolve().parents[2]
GROUP = -1001234567890
SECRET = "webhook-secret_of-the-tests"
PAGE = "https://chat.example.com"
# About 100 bytes.
TEXT = "Where is my parcel? The number on the slip is 4711, and the page says that it left you last Friday"


class Peers(http.server.ThreadingHTTPServer):
    """The other ends: API Gateway's `@connections`, and as much of the Bot API as these events call."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Peer)
        self.posts, self.calls = [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def code(self):
        """The login code that was sent last."""
        texts = [call.get("text", "") for _, call in self.calls]
        return next(found[0] for text in reversed(texts) if (found := re.search(r"\b\d{6}\b", text)))

    def handle_error(self, request, client_address):
        """A program that was stopped hangs up."""


class Peer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one go; else the body waits until the head is acknowledged.
    wbufsize = -1

    def log_message(self, *_):
        pass

    def answer(self, body):
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if "/@connections/" in self.path:
            self.server.posts.append((self.path.rsplit("/", 1)[1], json.loads(body)))
            return self.answer(b"")
        method, call = self.path.rsplit("/", 1)[1], json.loads(body or "{}")
        self.server.calls.append((method, call))
        return self.answer(json.dumps({"ok": True, "result": self.result(method, call)}).encode())

    def result(self, method, call):
        number = 40000 + len(self.server.calls)
        chat = {"id": call.get("chat_id"), "type": "supergroup", "title": "Support", "is_forum": True}
        match method:
            case "sendMessage" | "editMessageText":
                return {"message_id": number, "message_thread_id": call.get("message_thread_id"), "date": int(time.time()),
                        "chat": chat, "text": call.get("text")}
            case "createForumTopic":
                return {"message_thread_id": number, "name": call["name"], "icon_color": 7322096}
            case "getChat":
                return chat
            case "getForumTopicIconStickers":
                return []
            case "getChatMember":
                return {"status": "administrator", "user": {"id": call["user_id"], "is_bot": False, "first_name": "Olga"}}
            case _:
                return True


def in_json(value):
    """An item as the stream's events write it: bytes in base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: in_json(part) for key, part in value.items()}
    return [in_json(part) for part in value] if isinstance(value, list) else value


def sample(name):
    return json.loads((ROOT / f"tests/events/{name}.json").read_text())


class Scene:
    """A house on a table of its own, with a visitor and an admin. `invoke(name, events, environment)` runs a function's
    bootstrap and answers its answers."""

    def __init__(self, invoke, endpoint, table, environment):
        self.peers, self.table, self.numbers = Peers(), table, iter(range(1, 1_000_000))
        self.dynamodb = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1",
                                     aws_access_key_id="local", aws_secret_access_key="local")
        self.environment = {
            **environment, "PUBLIC_URL": PAGE, "WEBSOCKET_ENDPOINT": f"{self.peers.url}/live",
            "TELEGRAM_API_URL": self.peers.url, "TELEGRAM_BOT_TOKEN": "700100200:fake-bot-token-of-the-tests",
            "TELEGRAM_WEBHOOK_SECRET": SECRET, "TELEGRAM_DEFAULT_CHAT_ID": str(GROUP),
            "WS_USER_MSGS_PER_SEC": "1000", "WS_USER_BURST": "10000",
        }
        self.invoke = lambda name, event: invoke(name, [event], self.environment)[0]
        joined = self.good("visitor", self.request("visitor", "POST", "join", {"display_name": "Ada"}))
        self.visitor = {key: joined[key] for key in ("conversation_id", "resume_token")}
        self.socket = self.opened()
        self.session = self.log_in()
        ticket = self.good("admin", self.request("admin", "POST", "ws_ticket", {}, self.session))["ticket"]
        self.good("connect", self.connect("admin", ticket=ticket))

    def good(self, name, event):
        """What a function answers that does what it is asked to."""
        answer = self.invoke(name, event)
        assert answer["statusCode"] == 200, f"{name}: {answer}"
        return json.loads(answer["body"]) if answer.get("body") else answer

    def connection(self):
        return f"L0SM9cOF{next(self.numbers):07}="

    def of_socket(self, name, connection):
        event = sample(name)
        event["requestContext"]["connectionId"] = connection
        return event

    def connect(self, socket, **query):
        event = self.of_socket("connect", self.connection())
        event["headers"]["Origin"], event["multiValueHeaders"]["Origin"] = PAGE, [PAGE]
        event["queryStringParameters"] = {"socket": socket, **query}
        event["multiValueQueryStringParameters"] = {key: [value] for key, value in event["queryStringParameters"].items()}
        return event

    def frame(self, connection, frame):
        return {**self.of_socket("message", connection), "body": json.dumps(frame)}

    def request(self, side, method, path, body=None, token=None, headers=None, query=""):
        event = copy.deepcopy(sample(side))
        event["rawPath"], event["rawQueryString"] = f"/api/{side}/{path}", query
        event["queryStringParameters"] = dict(pair.split("=") for pair in query.split("&") if pair)
        event["requestContext"]["http"] |= {"method": method, "path": event["rawPath"]}
        event["pathParameters"]["proxy"] = path
        event["body"] = None if body is None else json.dumps(body)
        event["headers"] |= {"origin": PAGE, **({"authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        return event

    def opened(self):
        """The visitor's socket, one more."""
        event = self.connect("client")
        connection = event["requestContext"]["connectionId"]
        self.good("connect", event)
        self.good("message", self.frame(connection, {"type": "resume", **self.visitor}))
        return connection

    def log_in(self):
        asked = self.invoke("admin", self.request("admin", "POST", "request_otp", {}))
        cookie = (asked.get("cookies") or [asked["headers"].get("set-cookie")])[0].split(";")[0]
        event = self.request("admin", "POST", "login", {"code": self.peers.code(), "name": "Grace"}, headers={"cookie": cookie})
        event["cookies"] = [cookie]
        return self.good("admin", event)["token"]

    def message(self):
        frame = {"type": "message", "client_id": f"{next(self.numbers):032}", "content": TEXT}
        return self.frame(self.socket, frame)

    def record(self):
        """The stream's event of a message that was stored."""
        self.good("message", self.message())
        key = {"pk": {"S": f"C#{self.visitor['conversation_id']}"}, "sk": {"S": "HEAD"}}
        head = self.dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True)["Item"]
        event = sample("notifier")
        event["Records"][0]["dynamodb"] |= {"Keys": key, "NewImage": in_json(head)}
        return event

    def reply(self):
        """An operator's answer to what stands in the conversation's topic."""
        if not any(method == "createForumTopic" for method, _ in self.peers.calls):
            self.invoke("notifier", self.record())
        thread = next(call["message_thread_id"] for method, call in reversed(self.peers.calls) if call.get("message_thread_id"))
        number, now = next(self.numbers), int(time.time())
        chat = {"id": GROUP, "type": "supergroup", "title": "Support", "is_forum": True}
        message = {"message_id": 90000 + number, "message_thread_id": thread, "is_topic_message": True, "date": now,
                   "text": TEXT, "chat": chat, "from": {"id": 501, "is_bot": False, "first_name": "Olga"}}
        event = sample("telegram")
        event["headers"]["x-telegram-bot-api-secret-token"] = SECRET
        event["body"] = json.dumps({"update_id": 900000000 + number, "message": message})
        return event

    def events(self, name, times):
        """So many events for a function."""
        make = {
            "connect": lambda: self.connect("client"),
            "message": self.message,
            "disconnect": lambda: self.of_socket("disconnect", self.opened()),
            "visitor": lambda: self.request("visitor", "POST", "send", {
                "conversation_id": self.visitor["conversation_id"], "content": TEXT, "client_id": f"{next(self.numbers):032}",
            }, self.visitor["resume_token"]),
            "admin": lambda: self.request("admin", "GET", "conversations", token=self.session, query="limit=50"),
            "telegram": self.reply,
            "notifier": self.record,
        }.get(name, dict)
        return [make() for _ in range(times)]
