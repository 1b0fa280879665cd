"""Fragments of any size, as the house rules want them: each operation has a request and an answer of its own, and every
four share the types within.
"""

import json


def yaml(value, indent=""):
    if not value or not isinstance(value, (dict, list)):
        return f" {json.dumps(value)}\n"
    members = value.items() if isinstance(value, dict) else [(None, item) for item in value]
    name = lambda key: "-" if key is None else f"{json.dumps(key)}:"
    return "\n" + "".join(indent + name(key) + yaml(item, indent + "  ") for key, item in members)


def synthetic(count):
    """The fragment of a group of so many operations."""
    ref = lambda name: {"$ref": f"#/components/schemas/{name}"}
    text = lambda what, **more: {"type": "string", "description": f"The {what}, as the caller knows it.", **more}
    whole = lambda what: {"type": "integer", "description": f"How many of the {what} there are."}
    array = lambda of: {"type": "array", "description": "All of them, in the order of the server.", "items": of}
    thing = lambda what, required, **properties: {
        "description": what, "type": "object", "required": required.split(), "properties": properties}
    paths, schemas = {}, {}
    for number in range(count):
        name, group = f"{['List', 'Create', 'Update', 'Delete'][number % 4]}Thing{number}", f"Group{number // 4}"
        security = [{"appId": []}, {"appId": [], "userAccessToken": []}, {"accessKeySignature": []},
                    {"managementToken": []}, {"appId": [], "clientSecretBasic": []}]
        request = {"thingId": f"thing-{number}", "filter": {"query": "name"}, "kinds": ["NEW"]}
        answer = {"statusCode": 200, "message": "Success", "data": {"total": 1, "items": [{"id": "1", "name": "one"}]}}
        content = lambda schema, example: {"content": {"application/json": {"schema": ref(schema), "example": example}}}
        paths[f"/api/v3/thing-{number}"] = {"post": {
            "operationId": name[0].lower() + name[1:], "summary": f"What is done with thing {number}.",
            "description": f"Asks the server for thing {number}, and answers what became of it.",
            "tags": ["synthetic"], "security": security,
            "requestBody": {"required": True, **content(f"{name}Dto", request)},
            "responses": {"200": {"description": "The envelope.", **content(f"{name}RespDto", answer)}}}}
        schemas[f"{name}Dto"] = thing(
            f"Which thing {number} is meant.", "thingId", thingId=text("id"), page=whole("pages"),
            secretKey=text("secret", format="password"), filter=ref(f"{group}FilterDto"),
            kinds=array({"type": "string", "enum": ["NEW", "USED", "BROKEN"], "description": "A kind."}),
            withDetails={"type": "boolean", "description": "Whether details are wanted."})
        schemas[f"{name}DataDto"] = thing(
            f"Thing {number}.", "total items", total=whole("things"), items=array(ref(f"{group}ItemDto")),
            accessToken=text("token", format="password"), nextPage=text("next page"), changed=ref("UnixTimestamp"))
        schemas[f"{name}RespDto"] = {"description": f"The envelope around thing {number}.", "allOf": [
            ref("Envelope"), {"type": "object", "properties": {"data": ref(f"{name}DataDto")}}]}
        schemas[f"{group}FilterDto"] = thing(
            "Which ones.", "query", query=text("query"),
            fuzzy={"type": "boolean", "description": "Whether nearly is enough."})
        schemas[f"{group}ItemDto"] = thing(
            "One of them.", "id name", id=text("id"), name=text("name"), visits=whole("visits"))
    tags = [{"name": "synthetic", "description": "Made for a measurement."}]
    return yaml({"tags": tags, "paths": paths, "components": {"schemas": schemas}})
