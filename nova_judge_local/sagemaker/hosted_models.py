"""Models, endpoint configurations and endpoints with the life cycle that AWS shows.

An endpoint is Creating before it is InService, cannot be invoked until then, and is Deleting before
it is gone. Its state follows from the clock.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nova_judge_local.emulator_settings import EmulatorSettings, EndpointFault
from nova_judge_local.job_book import now
from nova_judge_local.judges.model_answers import Answers
from nova_judge_local.sagemaker.api import ApiError, Faults, Operation, Parameters, arn

_NO_CAPACITY = (
    "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. "
    "Please retry using a different ML instance type or after some time."
)
MODEL_VARIABLES = ("SM_VLLM_MODEL", "HF_MODEL_ID", "OPTION_MODEL_ID")


class EmulatedHosting:
    """The hosting half of the stand-in; `started` is called when an endpoint's start is over."""

    def __init__(
        self, settings: EmulatorSettings, answers: Answers, started: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._started = started
        self._answers = answers
        self._faults = Faults(settings.endpoint_faults)
        self._models: dict[str, Parameters] = {}
        self._configs: dict[str, Parameters] = {}
        self._endpoints: dict[str, Parameters] = {}
        self._components: dict[str, Parameters] = {}
        self._lock = threading.Lock()
        self._in_flight: dict[str, int] = {}
        self._invocations: dict[str, int] = {}

    def operations(self) -> dict[str, Operation]:
        """The control-plane operations, by AWS's names."""
        return {
            **self._plain_store("Model", "model", self._models),
            **self._plain_store("EndpointConfig", "endpoint-config", self._configs),
            "CreateEndpoint": self.create_endpoint,
            "DescribeEndpoint": self.describe_endpoint,
            "DeleteEndpoint": self.delete_endpoint,
            "ListEndpoints": self.list_endpoints,
            "CreateInferenceComponent": self.create_component,
            "DescribeInferenceComponent": self.describe_component,
            "ListInferenceComponents": self.list_components,
        }

    def create_endpoint(self, parameters: Parameters) -> Parameters:
        """Start to create an endpoint from a known configuration."""
        name, config = parameters["EndpointName"], parameters["EndpointConfigName"]
        self._sweep()
        if config not in self._configs:
            raise ApiError(
                "ValidationException", f'Could not find endpoint configuration "{config}".'
            )
        if name in self._endpoints:
            raise ApiError(
                "ValidationException", f'Cannot create already existing endpoint "{name}".'
            )
        fault = self._faults.of(name)
        if fault is not None:
            time.sleep(fault.creation_s)
        failing = fault is not None and fault.creation != "normal" and self._faults.take(fault)
        if fault is not None and failing and fault.creation == "refused":
            raise ApiError(
                "ResourceLimitExceeded",
                "The account-level service limit for endpoint usage is 0 Instances.",
            )
        self._endpoints[name] = {
            "EndpointName": name,
            "EndpointArn": arn(self._settings, "endpoint", name),
            "EndpointConfigName": config,
            "CreationTime": now(),
            "LastModifiedTime": now(),
            "_fails": failing,
        }
        threading.Timer(self._settings.endpoint_start_s, self._started).start()
        return {"EndpointArn": self._endpoints[name]["EndpointArn"]}

    def describe_endpoint(self, parameters: Parameters) -> Parameters:
        """The endpoint as it stands now."""
        self._sweep()
        endpoint = self._endpoint(parameters["EndpointName"])
        status = self._status(endpoint)
        described = {key: value for key, value in endpoint.items() if not key.startswith("_")}
        described["EndpointStatus"] = status
        described["ProductionVariants"] = self._variants(endpoint)
        if status == "Failed":
            described["FailureReason"] = _NO_CAPACITY
        return described

    def _variants(self, endpoint: Parameters) -> list[Parameters]:
        """The variants of the configuration, each with the image of its model."""
        variants: list[Parameters] = []
        config = self._configs.get(endpoint["EndpointConfigName"], {})
        for variant in config.get("ProductionVariants", []):
            model = self._models.get(variant.get("ModelName", ""), {})
            image = model.get("PrimaryContainer", {}).get("Image")
            images = [{"SpecifiedImage": image}] if image else []
            count = variant.get("InitialInstanceCount", 1)
            variants.append(
                {
                    "VariantName": variant["VariantName"],
                    "DeployedImages": images,
                    "CurrentInstanceCount": count,
                }
            )
        return variants

    def delete_endpoint(self, parameters: Parameters) -> Parameters:
        """Begin to delete an endpoint."""
        self._sweep()
        self._endpoint(parameters["EndpointName"]).setdefault("_deleted", now())
        return {}

    def list_endpoints(self, parameters: Parameters) -> Parameters:
        """All endpoints that are not gone."""
        self._sweep()
        wanted = parameters.get("NameContains", "")
        keys = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime")
        return {
            "Endpoints": [
                {**{key: endpoint[key] for key in keys}, "EndpointStatus": self._status(endpoint)}
                for name, endpoint in sorted(self._endpoints.items())
                if wanted in name
            ]
        }

    def create_component(self, parameters: Parameters) -> Parameters:
        """Host a model on an endpoint that has none of its own; it is there at once."""
        name = parameters["InferenceComponentName"]
        self._endpoint(parameters["EndpointName"])
        self._components[name] = parameters
        return {"InferenceComponentArn": arn(self._settings, "inference-component", name)}

    def describe_component(self, parameters: Parameters) -> Parameters:
        """One component, with its image as AWS states it."""
        name = parameters["InferenceComponentName"]
        if name not in self._components:
            raise ApiError("ValidationException", f'Could not find inference component "{name}".')
        one = self._components[name]
        image = one["Specification"].get("Container", {}).get("Image")
        deployed = {"DeployedImage": {"SpecifiedImage": image}} if image else {}
        return {**self._listed(name), "Specification": {"Container": deployed}}

    def list_components(self, parameters: Parameters) -> Parameters:
        """The components of an endpoint."""
        wanted = parameters.get("EndpointNameEquals")
        return {
            "InferenceComponents": [
                self._listed(name)
                for name, one in sorted(self._components.items())
                if wanted in (None, one["EndpointName"])
            ]
        }

    def _listed(self, name: str) -> Parameters:
        one = self._components[name]
        return {
            "InferenceComponentName": name,
            "InferenceComponentArn": arn(self._settings, "inference-component", name),
            "CreationTime": now(),
            "LastModifiedTime": now(),
            "EndpointName": one["EndpointName"],
            "EndpointArn": arn(self._settings, "endpoint", one["EndpointName"]),
            "VariantName": one["VariantName"],
            "InferenceComponentStatus": "InService",
        }

    def invoke(self, name: str, component: str | None, body: bytes) -> bytes:
        """Answer one call of the endpoint's container; raises `ApiError` as the runtime does."""
        endpoint = self._endpoints.get(name)
        if endpoint is None or self._status(endpoint) != "InService":
            raise ApiError(
                "ValidationError",
                f"Endpoint {name} of account {self._settings.account} not found.",
            )
        fault = self._faults.of(name)
        with self._call(name) as (in_flight, number):
            if fault is not None:
                self._disturb(fault, in_flight, number)
            return self._answers.invocation(self._model_of(endpoint, component), name, body)

    @contextmanager
    def _call(self, name: str) -> Iterator[tuple[int, int]]:
        with self._lock:
            in_flight = self._in_flight[name] = self._in_flight.get(name, 0) + 1
            number = self._invocations[name] = self._invocations.get(name, 0) + 1
        try:
            yield in_flight, number
        finally:
            with self._lock:
                self._in_flight[name] -= 1

    def _disturb(self, fault: EndpointFault, in_flight: int, number: int) -> None:
        over = bool(fault.max_in_flight) and in_flight > fault.max_in_flight
        due = bool(fault.every) and number % fault.every == 0
        if (over or due) and self._faults.take(fault):
            code = "ThrottlingException" if fault.status == 429 else "ModelError"
            raise ApiError(code, f"Received injected status {fault.status}.", fault.status)
        time.sleep(fault.latency_s)

    def _model_of(self, endpoint: Parameters, component: str | None) -> str:
        """The model that the endpoint's container was set to load."""
        variant = self._configs[endpoint["EndpointConfigName"]]["ProductionVariants"][0]
        named = variant.get("ModelName", "")
        if (component is not None) != (not named):
            raise ApiError("ValidationError", "Inference Component Name header is required.")
        if component is not None:
            if component not in self._components:
                raise ApiError("ValidationError", f"Inference component {component} not found.")
            named = self._components[component]["Specification"].get("ModelName", component)
        model = self._models.get(named, {})
        container: Parameters = model.get("PrimaryContainer") or next(
            iter(model.get("Containers", [])), {}
        )
        variables = container.get("Environment", {})
        source = container.get("ModelDataSource", {}).get("S3DataSource", {})
        names = [str(variables[key]) for key in MODEL_VARIABLES if variables.get(key)]
        names += filter(None, (container.get("ModelPackageName"), source.get("S3Uri")))
        return names[0] if names else component or str(endpoint["EndpointName"])

    def _endpoint(self, name: str) -> Parameters:
        if name not in self._endpoints:
            raise ApiError("ValidationException", f'Could not find endpoint "{name}".')
        return self._endpoints[name]

    def _status(self, endpoint: Parameters) -> str:
        if "_deleted" in endpoint:
            return "Deleting"
        if (now() - endpoint["CreationTime"]).total_seconds() < self._settings.endpoint_start_s:
            return "Creating"
        return "Failed" if endpoint["_fails"] else "InService"

    def _sweep(self) -> None:
        """Forget endpoints whose deletion has ended."""
        for name, endpoint in list(self._endpoints.items()):
            deleted = endpoint.get("_deleted")
            if deleted and (now() - deleted).total_seconds() >= self._settings.endpoint_start_s:
                self._endpoints.pop(name, None)

    def _plain_store(
        self, noun: str, kind: str, store: dict[str, Parameters]
    ) -> dict[str, Operation]:
        """Create, Describe and Delete of a resource that only keeps what it was given."""
        key = f"{noun}Name"

        def create(parameters: Parameters) -> Parameters:
            name = parameters[key]
            if name in store:
                raise ApiError(
                    "ValidationException", f'Cannot create already existing {kind} "{name}".'
                )
            for variant in parameters.get("ProductionVariants", ()):
                if variant.get("ModelName") not in {None, *self._models}:
                    raise ApiError(
                        "ValidationException", f'Could not find model "{variant["ModelName"]}".'
                    )
            described = {k: v for k, v in parameters.items() if k != "Tags"}
            made = arn(self._settings, kind, name)
            store[name] = {**described, f"{noun}Arn": made, "CreationTime": now()}
            return {f"{noun}Arn": made}

        def find(parameters: Parameters) -> Parameters:
            if parameters[key] not in store:
                raise ApiError("ValidationException", f'Could not find {kind} "{parameters[key]}".')
            return store[parameters[key]]

        def delete(parameters: Parameters) -> Parameters:
            find(parameters)
            store.pop(parameters[key], None)  # two may delete it at the same moment
            return {}

        def listed(parameters: Parameters) -> Parameters:
            wanted, keys = parameters.get("NameContains", ""), (key, f"{noun}Arn", "CreationTime")
            kept = [each for name, each in sorted(store.items()) if wanted in name]
            return {f"{noun}s": [{key: each[key] for key in keys} for each in kept]}

        return {
            f"Create{noun}": create,
            f"Describe{noun}": find,
            f"Delete{noun}": delete,
            f"List{noun}s": listed,
        }
