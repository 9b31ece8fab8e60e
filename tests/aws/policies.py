"""Whether each function's policy allows exactly the calls that the function makes."""

import hashlib
import time

import boto3

# Seconds.
PATIENCE = 60

FUNCTIONS = ["connect", "message", "disconnect", "visitor", "admin", "telegram", "notifier", "maintenance"]
# What the platform does in a function's name: it reads the stream, keeps the log, puts aside what failed.
PLATFORM = ("logs:", "sqs:")
STREAM = {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"}

# What the calls of a service are about, as far as they are rare.
OBJECTS = {"dynamodb": "table", "s3": "files", "execute-api": "sockets"}

# Calls that no story can bring about at will. Each of them is a function's, and of a path that the code has.
FORGETS = {"dynamodb:DeleteItem"}  # a push finds a socket gone, so its row goes
SETS_ASIDE = {"dynamodb:BatchWriteItem"}  # marks of 128 archived messages overflow
MOVES = {"dynamodb:UpdateItem"}  # the last activity passes into another ten minutes
MISSES = {"s3:ListBucket"}  # a file is not there, which would be 403 for who may not list
TELLS_ALL = {"dynamodb:Query"}  # the last admin's socket goes, as the platform may or may not tell in time
TELLS_TROUBLE = {"execute-api:ManageConnections"}  # Telegram fails for so long that admins are told
RARE = {
    "connect": FORGETS,
    "disconnect": TELLS_ALL,
    "visitor": FORGETS | SETS_ASIDE | MISSES,
    "telegram": FORGETS | SETS_ASIDE | MOVES,
    "notifier": FORGETS | TELLS_TROUBLE,
}


def of_stack(stack):
    """The functions by the name of their program."""
    found = boto3.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    ids = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}
    return {name: ids[f"{name.capitalize()}Function"] for name in FUNCTIONS}


def as_list(value):
    return value if isinstance(value, list) else [value]


def kind(resource):
    if "/index/" in resource:
        return "index"
    if ":s3:::" in resource:
        return "files"
    return "sockets" if ":execute-api:" in resource else "table"


def granted(role):
    """What a role allows beyond what the platform needs."""
    iam = boto3.client("iam")
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert not attached, f"{role} has policies that this check does not read: {attached}"
    allowed = set()
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for statement in as_list(document["Statement"]):
            for action in as_list(statement["Action"]):
                if not action.startswith(PLATFORM) and action not in STREAM:
                    allowed |= {(action, kind(resource)) for resource in as_list(statement["Resource"])}
    return allowed


def access_keys(client, function):
    """The emulator gives each version of a function credentials of its own, derived from its name and role."""
    versions = client.list_versions_by_function(FunctionName=function)["Versions"]
    configurations = [client.get_function_configuration(FunctionName=function), *versions]
    for configuration in configurations:
        arn = configuration["FunctionArn"]
        for name in {arn, arn.removesuffix(f":{configuration['Version']}")}:
            digest = hashlib.sha256(f"{name}:{configuration['Role']}".encode()).hexdigest()
            yield f"ASIA{digest[:16].upper()}"


def differences(stack, recorder):
    """Between what the functions may do and what they have done so far."""
    client, found = boto3.client("lambda"), []
    for name, function in of_stack(stack).items():
        made = set().union(*(recorder.made_by(key) for key in access_keys(client, function)))
        role = client.get_function_configuration(FunctionName=function)["Role"].rpartition("/")[2]
        allowed = granted(role)
        rare = {(action, OBJECTS.get(action.partition(":")[0])) for action in RARE.get(name, ())}
        for sense, calls in (("may, but does not", allowed - made - rare), ("does, but may not", (made | rare) - allowed)):
            found += [f"{name} {sense}: {action} on {what}" for action, what in sorted(calls)]
    return found


def check(stack, recorder):
    """Every difference is told before it ends. What the story's last sockets leave behind is still being done when it ends."""
    deadline = time.monotonic() + PATIENCE
    while found := differences(stack, recorder):
        if time.monotonic() > deadline:
            raise AssertionError("\n".join(["The policies are not what the functions do.", *found]))
        time.sleep(0.5)
