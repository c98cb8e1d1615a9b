"""What a training job writes is encrypted with the stage's key, where the stage has one."""

import pytest

from nova_judge.steps.job_data import _encrypted

KEY = "arn:aws:kms:us-east-1:123456789012:key/k"
TRAINING = {"TrainingJobName": "j", "OutputDataConfig": {"S3OutputPath": "s3://b/o"}}
BEDROCK = {"JobName": "j", "OutputDataConfig": {"S3Uri": "s3://b/o"}}


def test_a_training_job_is_given_the_key():
    body = _encrypted(TRAINING, KEY)

    assert body["OutputDataConfig"] == {"S3OutputPath": "s3://b/o", "KmsKeyId": KEY}


@pytest.mark.parametrize(("body", "key"), [(TRAINING, ""), (BEDROCK, KEY)])
def test_without_a_key_and_for_bedrock_the_request_stays_as_it_is(body, key):
    assert _encrypted(body, key) == body
