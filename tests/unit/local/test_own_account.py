"""The server that calls Bedrock with the user's credentials: for whom, and for which models."""

import pytest
import urllib3

from nova_judge_local.bedrock import own_account


class Runtime:
    def converse(self, **request):
        return {"asked": request["modelId"]}


@pytest.mark.parametrize(
    ("model", "key", "status", "answer"),
    [
        ("named", "Bearer {}", 200, {"asked": "named"}),
        ("other", "Bearer {}", 403, {"code": "AccessDeniedException", "message": "another model"}),
        ("named", "{}", 403, {"code": "AccessDeniedException", "message": "another process"}),
        ("named", "\xe9", 403, {"code": "AccessDeniedException", "message": "another process"}),
    ],
)
def test_only_the_models_that_were_named_are_called_and_only_with_the_token(
    monkeypatch, model, key, status, answer
):
    monkeypatch.setattr(own_account, "_client", lambda service: Runtime())
    with own_account.answering(["named"], None) as own:
        headers = {"authorization": key.format(own.token)}
        body = {"model": model, "request": {}}
        reply = urllib3.request("POST", own.url, json=body, headers=headers, retries=False)
    assert (reply.status, reply.json()) == (status, answer)
