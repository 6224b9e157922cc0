"""Model cards, packages, models, tags and search by the AWS command line, each call a process of its own.

Called with the path of the program and the address of the server.
"""

import json
import subprocess
import sys
from typing import Any

PROGRAM, ADDRESS = sys.argv[1], sys.argv[2]
ROLE = "arn:aws:iam::123456789012:role/gov"
CONTENT = '{"model_overview": {"model_description": "Loans."}, "intended_uses": {"risk_rating": "Low"}}'
SPECIFICATION = {
    "Containers": [{"Image": "xgb:1", "ModelDataUrl": "s3://governance/out/credit-train-1/output/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


def aws(*words: str, fails: str = "") -> Any:
    """One call of the command line, and what it answers."""
    command = [PROGRAM, "--endpoint-url", ADDRESS, "--output", "json", "sagemaker", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if fails:
        assert done.returncode, f"{words} was not refused"
        assert fails in done.stderr, done.stderr
        return None
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return json.loads(done.stdout) if done.stdout.strip() else None


arn = aws("create-model-card", "--model-card-name", "cli-card", "--content", CONTENT, "--model-card-status", "Draft")
arn = arn["ModelCardArn"]
told = aws("describe-model-card", "--model-card-name", "cli-card")
assert told["Content"] == CONTENT, told
aws("update-model-card", "--model-card-name", "cli-card", "--model-card-status", "Archived")
assert aws("describe-model-card", "--model-card-name", arn)["ModelCardStatus"] == "Archived"
aws("create-model-card", "--model-card-name", "cli-card", "--content", "{}", "--model-card-status", "Draft",
    fails="ConflictException")  # fmt: skip
aws("add-tags", "--resource-arn", arn, "--tags", "Key=team,Value=credit")
assert aws("list-tags", "--resource-arn", arn)["Tags"] == [{"Key": "team", "Value": "credit"}]
aws("delete-tags", "--resource-arn", arn, "--tag-keys", "team")
assert aws("list-tags", "--resource-arn", arn)["Tags"] == []

aws("create-model-package-group", "--model-package-group-name", "cli-group")
package = aws(
    "create-model-package",
    "--model-package-group-name",
    "cli-group",
    "--inference-specification",
    json.dumps(SPECIFICATION),
)["ModelPackageArn"]
assert package.endswith("/cli-group/1"), package
assert aws("describe-model-package", "--model-package-name", package)["ModelApprovalStatus"] == "PendingManualApproval"
expression = {"Filters": [{"Name": "ModelPackageGroupName", "Operator": "Equals", "Value": "cli-group"}]}
found = aws("search", "--resource", "ModelPackage", "--search-expression", json.dumps(expression))["Results"]
assert [each["ModelPackage"]["ModelPackageArn"] for each in found] == [package], found
aws("update-model-package", "--model-package-arn", package, "--model-approval-status", "Approved",
    fails="AccessDeniedException")  # fmt: skip
aws("delete-model-package-group", "--model-package-group-name", "cli-group", fails="ConflictException")

aws("create-model", "--model-name", "cli-model", "--primary-container", "Image=xgb:1", "--execution-role-arn", ROLE)
assert aws("describe-model", "--model-name", "cli-model")["PrimaryContainer"] == {"Image": "xgb:1"}
names = [each["ModelName"] for each in aws("list-models", "--sort-by", "Name", "--sort-order", "Ascending")["Models"]]
assert names == ["cli-model", "credit-model"], names
aws("delete-model", "--model-name", "cli-model")
aws("describe-model", "--model-name", "cli-model", fails="Could not find model")
assert aws("describe-training-job", "--training-job-name", "credit-train-1")["TrainingJobStatus"] == "Completed"
aws("describe-training-job", "--training-job-name", "nobody", fails="Requested resource not found.")
print("done")
