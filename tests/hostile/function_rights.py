"""The actions that each function's own role allows: what its calls need, no more and no less."""

import re
from collections.abc import Iterator, Mapping

from tests.hostile.stage_rules import Stage, listed, statements

READS = "s3:GetObject s3:GetObjectVersion s3:ListBucket"
WRITES = "s3:PutObject s3:AbortMultipartUpload"
MODELS = "bedrock:InvokeModel secretsmanager:GetSecretValue"
BATCHES = (
    "bedrock:CreateModelInvocationJob bedrock:GetModelInvocationJob bedrock:TagResource "
    "iam:PassRole"
)
METERS = "states:GetExecutionHistory states:ListExecutions states:ListMapRuns"
ENDS_ENDPOINTS = "sagemaker:DeleteEndpoint sagemaker:DescribeEndpoint"
RELEASES = f"dynamodb:DeleteItem dynamodb:UpdateItem {ENDS_ENDPOINTS}"
OWN = {
    "PlanEvaluation": f"{READS} {WRITES} ecr:BatchGetImage ecr:ListImages iam:GetRole "
    "iam:SimulatePrincipalPolicy s3:GetBucketNotification servicequotas:ListServiceQuotas "
    "bedrock:GetCustomModelDeployment bedrock:GetFoundationModel bedrock:GetImportedModel "
    "bedrock:GetFoundationModelAvailability bedrock:GetInferenceProfile "
    "bedrock:GetProvisionedModelThroughput bedrock:GetUseCaseForModelAccess "
    "bedrock:ListFoundationModels bedrock:ListInferenceProfiles secretsmanager:GetSecretValue "
    "sagemaker:DescribeEndpoint sagemaker:DescribeInferenceComponent sagemaker:ListEndpoints "
    "sagemaker:ListInferenceComponents",
    "ClaimRun": f"dynamodb:GetItem dynamodb:PutItem events:PutEvents {WRITES}",
    "PrepareEndpoints": f"dynamodb:GetItem dynamodb:PutItem {RELEASES} sagemaker:AddTags "
    "sagemaker:CreateEndpoint states:DescribeExecution",
    "GenerateResponses": f"{READS} {WRITES} {MODELS} sagemaker:DescribeEndpoint "
    "sagemaker:InvokeEndpoint",
    "ReleaseEndpoints": RELEASES,
    "BatchResponses": f"{READS} {WRITES} bedrock:InvokeModel {BATCHES}",
    "BuildJobs": f"{READS} {WRITES}",
    "WriteJobFiles": f"{READS} {WRITES}",
    "JudgeRows": f"{READS} {WRITES} {MODELS} {BATCHES} sagemaker:DescribeEndpoint "
    "sagemaker:InvokeEndpoint",
    "CollectVerdicts": f"{READS} {WRITES}",
    "RecordFailure": f"{READS} {WRITES} {RELEASES} dynamodb:GetItem dynamodb:Scan "
    "events:PutEvents sns:Publish "
    f"states:DescribeExecution {METERS}",
    "WatchEndpoints": f"{RELEASES} dynamodb:GetItem dynamodb:Scan states:DescribeExecution "
    "bedrock:GetEvaluationJob bedrock:ListEvaluationJobs bedrock:ListModelInvocationJobs "
    "bedrock:StopEvaluationJob bedrock:StopModelInvocationJob logs:DescribeLogGroups "
    "logs:PutRetentionPolicy sagemaker:DescribeTrainingJob sagemaker:ListEndpoints "
    "sagemaker:ListTrainingJobs sagemaker:StopTrainingJob",
    "ProcessResults": f"{READS} {WRITES} {METERS} dynamodb:GetItem dynamodb:UpdateItem "
    "events:PutEvents sns:Publish",
}
OPTIONAL = {
    "TellRegistry": f"{READS} sagemaker:AddTags sagemaker:DescribeModelPackage "
    "sagemaker:UpdateModelPackage"
}
"""Those of functions that only some stages have."""
REMOVES = (
    "sagemaker:DeleteEndpointConfig sagemaker:DeleteModel sagemaker:ListEndpointConfigs "
    "sagemaker:ListEndpoints sagemaker:ListModels"
)
ASKS = "sagemaker:DescribeInferenceComponent sagemaker:ListInferenceComponents"
SERVING = {
    "PlanEvaluation": "sagemaker:DescribeModelPackage sagemaker:DescribeTrainingJob",
    "PrepareEndpoints": f"{REMOVES} {READS} {WRITES} iam:PassRole secretsmanager:GetSecretValue "
    "sagemaker:CreateEndpointConfig sagemaker:CreateModel sagemaker:DescribeEndpointConfig",
    "ReleaseEndpoints": f"{REMOVES} dynamodb:GetItem",
    "RecordFailure": REMOVES,
    "WatchEndpoints": REMOVES,
    "GenerateResponses": ASKS,
    "JudgeRows": ASKS,
}
"""What comes to them where a stage serves models of recipes, and lets its endpoints be asked."""
EVERY = {
    *("logs:CreateLogStream", "logs:PutLogEvents"),
    *("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
}
HANDS_OVER = {"sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"}
"""An event that failed goes to a queue; the CDK grants these for it."""
OF_QUEUES = ("RecordFailure", "WatchEndpoints", "ProcessResults", "TellRegistry")
_ROLE = re.compile(r".*/(?:Watchdog|Registry)?(\w+?)RoleDefaultPolicy")


def problems(stage: Stage, more: Mapping[str, str] | None = None) -> Iterator[str]:
    """Rights that a function lacks, or has for nothing; `more` by function, beside its own."""
    given: dict[str, set[str]] = {}
    for name, policy in stage.of("IAM::Policy").items():
        role = _ROLE.match(name)
        if role is not None and role[1] in OWN | OPTIONAL:
            for one in statements(policy):
                given.setdefault(role[1], set()).update(listed(one["Action"]))
    there = {name: actions for name, actions in OPTIONAL.items() if name in given}
    for function, actions in (OWN | there).items():
        queues = HANDS_OVER if function in OF_QUEUES else set()
        also = set((more or {}).get(function, "").split())
        wanted = set(actions.split()) | EVERY | queues | also
        own = given.get(function, set())
        yield from (f"{function} may not {action}" for action in sorted(wanted - own))
        yield from (f"{function} may {action} for nothing" for action in sorted(own - wanted))
