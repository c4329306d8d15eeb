"""Reads OpenAPI documents as their readers do: each NAME.json beside NAME.yaml in the folder says the same and is a valid document."""

import json
import pathlib
import sys

import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

documents = sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
for path in documents:
    document = json.loads(path.read_text())
    assert yaml.safe_load(path.with_suffix(".yaml").read_text()) == document, f"{path} is another one as YAML"
    errors = [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]
    assert not errors, f"{path}: {errors}"
assert documents, "there are none"
print(f"{len(documents)} documents are valid")
