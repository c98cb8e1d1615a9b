"""No endpoint outlives its last lease, whatever is interrupted."""

import random

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from nova_judge.answers.batch_inference import job_name
from nova_judge.answers.hosting import (
    Host,
    NoCapacityError,
    explained,
    is_in_service,
    prepare,
    release,
    sweep,
)
from nova_judge.answers.leases import (
    GRACE_S,
    LONGEST_RUN_S,
    LONGEST_START_S,
    STALLED,
    Action,
    EndpointStatus,
    Hosted,
    Lease,
    Observed,
    has_ended,
    lacks_capacity,
    next_action,
)
from nova_judge.aws.endpoint_lifecycle import SageMakerEndpoints
from nova_judge.aws.lease_table import LeaseTable
from nova_judge.errors import EndpointError
from nova_judge.runs.stopping import RunningJob, orphans
from nova_judge.runs.training_job_request import training_job_name

NOW = 1_800_000_000.0
CONFIGS = {"ml.small": "config-small", "ml.large": "config-large"}
NO_CAPACITY = "Unable to provision: InsufficientInstanceCapacity error"


def lease(owner="run-1", until=NOW + LONGEST_RUN_S):
    return Lease(owner, until)


class World:
    """Endpoints on a clock that stands still until it is moved."""

    def __init__(self, *, failures=None, refused=(), undeletable=0):
        self.failures, self.refused = failures or {}, set(refused)
        self.undeletable = undeletable
        self.there = {}
        self.created = []

    def observe(self, name):
        return self.there.get(name, Observed(EndpointStatus.ABSENT))

    def create(self, name, config):
        if config in self.refused:
            raise NoCapacityError(config)
        assert name not in self.there
        self.created.append(config)
        failure = self.failures.get(config)
        self.there[name] = Observed(EndpointStatus.STARTING, failure or "", NOW, config)

    def delete(self, name):
        if self.undeletable:
            self.undeletable -= 1
            return False
        if name in self.there:
            self.there[name] = self.there[name]._replace(status=EndpointStatus.DELETING)
        return True

    def names(self, prefix):
        return [name for name in self.there if name.startswith(prefix)]

    def pass_time(self):
        """What starts is in service or failed, what is deleted is gone."""
        for name, seen in list(self.there.items()):
            if seen.status is EndpointStatus.DELETING:
                del self.there[name]
            elif seen.status is EndpointStatus.STARTING:
                status = EndpointStatus.FAILED if seen.reason else EndpointStatus.IN_SERVICE
                self.there[name] = seen._replace(status=status)


@pytest.fixture(scope="module")
def table():
    with mock_aws():
        yield boto3.resource("dynamodb", region_name="us-east-1").create_table(
            TableName="runs",
            KeySchema=[{"AttributeName": "run_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "run_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


@pytest.fixture
def book(table):
    for item in table.scan()["Items"]:
        table.delete_item(Key={"run_id": item["run_id"]})
    return LeaseTable(table)


def nothing_is_made():
    raise AssertionError("without a lease nobody would remove it")


def until_ready(host, world, owner="run-1", steps=12):
    for step in range(steps):
        if prepare(host, "e", lambda: CONFIGS, lease(owner), NOW):
            return step
        world.pass_time()
    raise AssertionError("never ready")


def test_an_endpoint_is_created_awaited_and_deleted_with_its_lease(book):
    world = World()
    host = Host(book, world)
    assert until_ready(host, world) == 1
    assert world.created == ["config-small"]
    assert release(host, "e", "run-1")
    world.pass_time()
    assert (world.there, book.read("e")) == ({}, None)


def test_a_shared_endpoint_lives_until_the_last_lease_ends(book):
    world = World()
    host = Host(book, world)
    until_ready(host, world, "run-1")
    until_ready(host, world, "run-2")
    assert world.created == ["config-small"]
    assert not release(host, "e", "run-1")
    assert world.observe("e").status is EndpointStatus.IN_SERVICE
    assert release(host, "e", "run-2")
    assert world.observe("e").status is EndpointStatus.DELETING


def test_a_release_that_is_repeated_or_of_nothing_changes_nothing(book):
    world = World()
    host = Host(book, world)
    assert not release(host, "e", "run-1")
    until_ready(host, world, "run-1")
    until_ready(host, world, "run-2")
    assert not release(host, "e", "run-1")
    assert not release(host, "e", "run-1")
    assert world.observe("e").status is EndpointStatus.IN_SERVICE


@pytest.mark.parametrize("how", ["refused", "failed"])
def test_without_capacity_the_next_instance_type_is_tried(book, how):
    refused = how == "refused"
    world = World(
        refused=["config-small"] if refused else [],
        failures={} if refused else {"config-small": NO_CAPACITY},
    )
    until_ready(Host(book, world), world)
    assert world.created[-1] == "config-large"
    assert book.read("e").without_capacity == {"config-small"}


@pytest.mark.parametrize("how", ["refused", "failed"])
def test_an_instance_type_without_capacity_is_only_its_own_runs_affair(book, how):
    """Two runs that share an endpoint name instance types of their own."""
    refused = how == "refused"
    world = World(
        refused=["config-small"] if refused else [],
        failures={} if refused else {"config-small": NO_CAPACITY},
    )
    host = Host(book, world)
    small, large = ({kind: config} for kind, config in CONFIGS.items())
    assert not prepare(host, "e", lambda: small, lease("run-1"), NOW)
    world.pass_time()
    while not prepare(host, "e", lambda: large, lease("run-2"), NOW):
        world.pass_time()
    assert world.created[-1] == "config-large"
    assert prepare(host, "e", lambda: small, lease("run-1"), NOW)  # whatever answers serves both


def test_what_another_run_began_is_waited_for_though_ones_own_type_has_no_capacity(book):
    world = World(refused=["config-small"])
    host = Host(book, world)
    small, large = ({kind: config} for kind, config in CONFIGS.items())
    assert not prepare(host, "e", lambda: small, lease("run-1"), NOW)
    assert not prepare(host, "e", lambda: large, lease("run-2"), NOW)
    assert not prepare(host, "e", lambda: small, lease("run-1"), NOW)
    world.pass_time()
    assert prepare(host, "e", lambda: small, lease("run-1"), NOW)


def test_when_no_instance_type_has_capacity_it_says_which_were_tried(book):
    world = World(refused=CONFIGS.values())
    host = Host(book, world)
    with pytest.raises(EndpointError, match=r"endpoint e .*ml\.small, ml\.large"):
        until_ready(host, world)
    release(host, "e", "run-1")
    assert book.read("e") is None


def test_a_container_that_does_not_start_is_not_tried_elsewhere(book):
    world = World(failures={"config-small": "The primary container did not pass the ping"})
    host = Host(book, world)
    with pytest.raises(EndpointError, match=r"did not pass the ping.*The container's log"):
        until_ready(host, world)
    assert world.created == ["config-small"]
    assert release(host, "e", "run-1")
    assert world.observe("e").status is EndpointStatus.DELETING


def test_whoever_comes_while_it_closes_waits_and_gets_a_new_one(book):
    world = World(undeletable=1)
    host = Host(book, world)
    until_ready(host, world, "run-1")
    assert release(host, "e", "run-1")  # SageMaker would not delete it just then
    assert book.read("e") == Hosted(closing=True)
    assert not prepare(host, "e", nothing_is_made, lease("run-2"), NOW)
    assert sweep(host, ["e"], lambda run: True, NOW).endpoints_deleted == ("e",)
    assert until_ready(host, world, "run-2") == 2
    assert world.created == ["config-small", "config-small"]


def test_the_watchdog_ends_leases_of_runs_that_are_gone_or_too_old(book):
    world = World()
    host = Host(book, world)
    for owner in ("running", "gone"):
        until_ready(host, world, owner)
    book.join("e", lease("old", until=NOW - 1))
    book.join("e", lease("person/ann", until=NOW + 60))
    swept = sweep(host, ["e"], lambda run: run in {"running", "old"}, NOW)
    assert swept.leases_ended == ("gone on e", "old on e")
    assert swept.endpoints_deleted == ()
    swept = sweep(host, ["e"], lambda run: False, NOW + 120)
    assert swept.leases_ended == ("person/ann on e", "running on e")
    assert swept.endpoints_deleted == ("e",)
    assert world.observe("e").status is EndpointStatus.DELETING


@pytest.mark.parametrize(("age", "deleted"), [(GRACE_S - 1, ()), (GRACE_S + 1, ("e",))])
def test_the_watchdog_deletes_what_nobody_ever_leased(book, age, deleted):
    world = World()
    world.there["e"] = Observed(EndpointStatus.IN_SERVICE, "", NOW - age)
    swept = sweep(Host(book, world), ["e"], lambda run: True, NOW)
    assert swept.endpoints_deleted == deleted


def test_the_watchdog_leaves_alone_what_a_run_needs(book):
    world = World()
    host = Host(book, world)
    until_ready(host, world)
    swept = sweep(host, ["e", "absent"], lambda run: True, NOW + GRACE_S + 1)
    assert swept == ((), ())
    assert world.observe("e").status is EndpointStatus.IN_SERVICE


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_interrupted_nothing_stays_once_all_runs_ended(book, seed):
    """Steps in random order, some of them cut short by a fault in the middle."""
    chance = random.Random(seed)  # noqa: S311

    class Flaky(World):
        def fault(self):
            if chance.random() < 0.2:
                raise ConnectionError

        def create(self, name, config):
            self.fault()
            super().create(name, config)
            self.fault()

        def delete(self, name):
            self.fault()
            return super().delete(name)

    world = Flaky()
    host = Host(book, world)
    for _ in range(40):
        owner = f"run-{chance.randrange(3)}"
        step = chance.choice([prepare, prepare, release, World.pass_time])
        try:
            if step is prepare:
                prepare(host, "e", lambda: CONFIGS, lease(owner), NOW)
            elif step is release:
                release(host, "e", owner)
            else:
                world.pass_time()
        except ConnectionError:
            continue
    chance.random = lambda: 1.0
    for _ in range(3):
        sweep(host, ["e"], lambda run: False, NOW + GRACE_S + 1)
        world.pass_time()
    assert world.there == {}


def test_an_endpoint_that_starts_for_too_long_is_given_up():
    observed = Observed(EndpointStatus.STARTING, "", NOW)
    assert next_action(observed, (), CONFIGS, NOW + LONGEST_START_S) == Action("wait")
    late = next_action(observed, (), CONFIGS, NOW + LONGEST_START_S + 1)
    assert late == Action("give up", reason="not in service after 45 minutes")


def test_a_persons_lease_needs_no_run():
    assert not has_ended(lease("person/ann"), run_is_running=False, now=NOW)
    assert has_ended(lease("person/ann", until=NOW - 1), run_is_running=False, now=NOW)


@pytest.mark.parametrize("status", [EndpointStatus.ABSENT, EndpointStatus.FAILED])
def test_an_always_on_endpoint_that_will_never_answer_is_an_error(status):
    world = World()
    world.there["e"] = Observed(status)
    with pytest.raises(EndpointError, match="Deploy the endpoints stack"):
        is_in_service(Host(None, world), "e")


def names_of_jobs(execution):
    """A judge job and a batch job of one attempt at a run."""
    judge = training_job_name("nova-judge-dev", "run", execution, 0)
    attempt = judge.split("-")[-2]
    return f"{judge}-0", job_name("nova-judge-dev", "run", attempt, "A-0-0")


def test_jobs_that_nobody_waits_for_are_orphans():
    old = NOW - GRACE_S - 1
    first, second = names_of_jobs("arn:first"), names_of_jobs("arn:second")
    jobs = [
        *(RunningJob(name, name, "run", old) for name in (*first, *second)),
        RunningJob("of-a-run-that-ended-1234-0", "arn:job", "gone", old),
        RunningJob("nobodys", "nobodys", None, old),
        RunningJob("young", "young", "gone", NOW),
    ]
    running = {"run": "arn:second"}
    found = [job.name for job in orphans(jobs, running.get, NOW)]
    assert found == [*first, "of-a-run-that-ended-1234-0", "nobodys"]


def sagemaker():
    return boto3.client(
        "sagemaker", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


@pytest.mark.parametrize(
    ("operation", "code", "message", "outcome"),
    [
        ("describe_endpoint", "ValidationException", 'Could not find endpoint "e".', "absent"),
        ("delete_endpoint", "ValidationException", 'Could not find endpoint "e".', True),
        ("delete_endpoint", "ValidationException", "Cannot delete: Creating", False),
        ("create_endpoint", "ResourceLimitExceeded", "limit is 0", NoCapacityError),
        ("create_endpoint", "ValidationException", "already existing endpoint", None),
        ("create_endpoint", "ValidationException", "ml.g6.xlarge is not offered", NoCapacityError),
        (
            "create_endpoint",
            "ValidationException",
            "Could not find endpoint configuration",
            EndpointError,
        ),
        ("create_endpoint", "AccessDeniedException", "no", ClientError),
        ("delete_endpoint", "ThrottlingException", "slow", ClientError),
    ],
)
def test_what_sagemaker_refuses_is_told_apart(operation, code, message, outcome):
    client = sagemaker()
    endpoints = SageMakerEndpoints(client)
    calls = {
        "describe_endpoint": lambda: endpoints.observe("e").status,
        "delete_endpoint": lambda: endpoints.delete("e"),
        "create_endpoint": lambda: endpoints.create("e", "c"),
    }
    with Stubber(client) as stub:
        stub.add_client_error(operation, code, message)
        if isinstance(outcome, type):
            with pytest.raises(outcome):
                calls[operation]()
        else:
            assert calls[operation]() == outcome


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (f"{STALLED} 45 minutes", "Without a log the container never started: its image cannot be"),
        ("The primary container did not pass the ping health check", "did not get ready: the last"),
        ("Failed to pull image", "`nova-judge doctor --recipe …` says which images"),
        ("Something else", "container's log, if it wrote one, is /aws/sagemaker/Endpoints/e"),
    ],
)
def test_an_endpoint_that_fails_or_hangs_says_what_to_look_at(reason, words):
    assert explained("e", reason).startswith(reason)
    assert words in explained("e", reason)


@pytest.mark.parametrize(
    ("reason", "helps"),
    [
        (NO_CAPACITY, True),
        ("CapacityError: Unable to provision requested ML compute capacity", True),
        ("The instance type ml.g6.xlarge is not supported in this region", True),
        ("The primary container did not pass the ping health check", False),
    ],
)
def test_another_instance_type_is_tried_where_it_can_help(reason, helps):
    assert lacks_capacity(reason) is helps
