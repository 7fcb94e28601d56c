"""What the service's JSON looks like beside the studio's, as JSON schemas."""

from hybridvit.serve.limits import PICTURES
from hybridvit.studio.openapi_schemas import FORMAT, NUMBER, TEXT, WHOLE, Json

DECODE = {"type": "string", "enum": ["vivid", "mean", "sample"]}
STRENGTH = {"type": "number", "minimum": 0, "maximum": 10}
SIZE = {"type": "integer", "minimum": 16, "maximum": 1024}
SEED = {"type": "integer", "minimum": 0, "maximum": 2**31 - 100}
SETTINGS = {"decode": DECODE, "strength": STRENGTH, "size": SIZE, "seed": SEED}
QUERY = {"format": (False, FORMAT), **{name: (False, schema) for name, schema in SETTINGS.items()}}

SCHEMAS: Json = {
    "Urls": {
        "type": "object",
        "properties": {
            "urls": {
                "type": "array",
                "items": TEXT,
                "minItems": 1,
                "maxItems": PICTURES,
                "description": "of photographs, or of IIIF image services (.../info.json), in allowed places",
            }
        },
        "required": ["urls"],
        "additionalProperties": False,
    },
    "Batch": {
        "type": "object",
        "properties": {
            "id": TEXT,
            "state": {"type": "string", "enum": ["waiting", "running", "done", "failed"]},
            "before": {**WHOLE, "description": "batches that come first"},
            "total": {**WHOLE, "description": "photographs; 0 until it runs"},
            "coloured": WHOLE,
            "failed": {
                "type": "object",
                "additionalProperties": TEXT,
                "description": "reasons by photograph",
            },
            "remarks": {
                "type": "object",
                "additionalProperties": {"type": "array", "items": TEXT},
                "description": "what to know, of which photographs",
            },
            "error": {"anyOf": [TEXT, {"type": "null"}], "description": "why all of it failed"},
            "seconds": NUMBER,
        },
        "required": ["id", "state", "before", "total", "coloured", "failed", "remarks", "error", "seconds"],
        "additionalProperties": False,
    },
    "Health": {
        "type": "object",
        "properties": {"status": {"const": "ok"}, "model": TEXT, "waiting": WHOLE},
        "required": ["status", "model", "waiting"],
        "additionalProperties": False,
    },
}
