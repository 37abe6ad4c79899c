"""Reports which instances on standard input the models accept; one JSON object per line: `{"name", "value"}`."""

import json
import sys

from pydantic import BaseModel, ValidationError

from cliprpn.contract import generated


def accepts(name: str, value: object) -> bool:
    model: type[BaseModel] = getattr(generated, name)
    try:
        model.model_validate_json(json.dumps(value), strict=True)
    except ValidationError:
        return False
    return True


instances = [json.loads(line) for line in sys.stdin]
print(json.dumps([accepts(**instance) for instance in instances]))
