//! The part of OpenAPI that is known.

use super::refused;

#[test]
fn a_misspelt_key_is_named_with_the_right_one() {
    refused(
        &[("wechat.yaml", "      summary: WeChat", "      sumary: WeChat")],
        &["openapi/wechat.yaml:9:7: [shape] `sumary` has no place in an operation. Did you mean `summary`?"],
    );
    refused(
        &[(
            "users.yaml",
            "        id:\n          type: string",
            "        id:\n          type: string\n          minLenght: 1",
        )],
        &["openapi/users.yaml:82:11: [shape] `minLenght` has no place in a schema. Did you mean `minLength`?"],
    );
    refused(
        &[(
            "wechat.yaml",
            "      operationId: getWeixinAccessToken\n",
            "      operationId: getWeixinAccessToken\n      x-internal: true\n",
        )],
        &[
            "openapi/wechat.yaml:80:7: [shape] `x-internal` has no place in an operation. Known are `operationId`, `summary`, `description`, `tags`, `deprecated`, `security`, `parameters`, `requestBody`, `responses`, `externalDocs`, `x-replaced-by`, `x-idempotent`.",
        ],
    );
    refused(
        &[("genauth.yaml", "    name: MIT OR Apache-2.0\n", "    nickname: MIT OR Apache-2.0\n")],
        &[
            "openapi/genauth.yaml:12:3: [shape] `license` lacks `name`. Add it.",
            "openapi/genauth.yaml:13:5: [shape] `nickname` has no place in a license. Known are `name`, `url`.",
        ],
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_named_with_the_right_one() {
    refused(
        &[("genauth.yaml", "openapi: 3.0.3", "openapi: 3.1.0")],
        &["openapi/genauth.yaml:2:1: [shape] `openapi` is `3.1.0`. Write 3.0.3: progenitor only reads OpenAPI 3.0."],
    );
    refused(
        &[("genauth.yaml", "openapi: 3.0.3", "openapi: 3.0")],
        &["openapi/genauth.yaml:2:1: [shape] `openapi` is 3.0. Write 3.0.3: progenitor only reads OpenAPI 3.0."],
    );
    refused(
        &[("genauth.yaml", "title: GenAuth V3 API", "title: ''")],
        &["openapi/genauth.yaml:4:3: [shape] `title` is blank. Write a string that is not blank."],
    );
    refused(
        &[("genauth.yaml", "type: http\n", "type: oauth2\n")],
        &["openapi/genauth.yaml:36:7: [shape] `type` is `oauth2`. Write `apiKey` or `http`."],
    );
    // Generators of other languages know the registered schemes, of which the client speaks two.
    refused(
        &[("genauth.yaml", "      scheme: bearer\n", "      scheme: client-secret-post\n")],
        &["openapi/genauth.yaml:37:7: [shape] `scheme` is `client-secret-post`. Write `basic` or `bearer`."],
    );
    refused(
        &[("genauth.yaml", "example: 200\n", "minimum: low\n")],
        &["openapi/genauth.yaml:55:11: [shape] `minimum` is `low`. Write a number."],
    );
    refused(
        &[("wechat.yaml", "tags: [wechat]", "tags: wechat")],
        &["openapi/wechat.yaml:13:7: [shape] `tags` is `wechat`. Write a list."],
    );
    refused(
        &[("wechat.yaml", "tags: [wechat]", "tags: [wechat, 1]")],
        &["openapi/wechat.yaml:13:22: [shape] Item 2 of `tags` is 1. Write a string."],
    );
    refused(
        &[("wechat.yaml", "deprecated: true", "deprecated: 'yes'")],
        &["openapi/wechat.yaml:14:7: [shape] `deprecated` is `yes`. Write true or false."],
    );
    refused(
        &[("users.yaml", "x-not-secret: names a kind of token", "x-not-secret:")],
        &["openapi/users.yaml:96:11: [shape] `x-not-secret` is empty. Write a string that is not blank."],
    );
    refused(
        &[("users.yaml", "type: boolean", "type: bool")],
        &[
            "openapi/users.yaml:25:13: [shape] `type` is `bool`. Write `string` or `integer` or `number` or `boolean` or `object` or `array`.",
        ],
    );
    refused(
        &[("users.yaml", "in: query", "in: header")],
        &["openapi/users.yaml:23:11: [shape] `in` is `header`. Write `query` or `path`."],
    );
    refused(
        &[(
            "users.yaml",
            "        id:\n          type: string",
            "        id:\n          type: string\n          maxLength: -1",
        )],
        &["openapi/users.yaml:82:11: [shape] `maxLength` is -1. Write a whole number from 0."],
    );
    refused(
        &[(
            "users.yaml",
            "    UserDto:\n      type: object",
            "    UserDto:\n      type: object\n      additionalProperties: none",
        )],
        &["openapi/users.yaml:78:7: [shape] `additionalProperties` is `none`. Write true, false or a schema."],
    );
    refused(
        &[("users.yaml", "        id:\n          type: string", "        id: string")],
        &["openapi/users.yaml:80:9: [shape] `id` is `string`. Write a schema."],
    );
    refused(
        &[("users.yaml", "        id:\n          type: string", "        id:")],
        &["openapi/users.yaml:80:9: [shape] `id` is empty. Write a schema."],
    );
}

#[test]
fn what_progenitor_cannot_generate_is_refused() {
    refused(
        &[("users.yaml", "        '200':", "        '404':\n          description: Nobody.\n        '200':")],
        &[
            "openapi/users.yaml:28:9: [shape] `404` has no place in the responses. Describe only the 200 answer: progenitor panics on several, and every other status reaches the caller as an error anyway.",
        ],
    );
    refused(
        &[("users.yaml", "        '200':", "        default:")],
        &[
            "openapi/users.yaml:27:7: [shape] `responses` lacks `200`. Add it.",
            "openapi/users.yaml:28:9: [shape] `default` has no place in the responses. Describe only the 200 answer: progenitor panics on several, and every other status reaches the caller as an error anyway.",
        ],
    );
    refused(
        &[("users.yaml", "            application/json:", "            text/plain: {}\n            application/json:")],
        &[
            "openapi/users.yaml:31:13: [shape] `text/plain` has no place in a content. Describe only `application/json`: progenitor has no types for anything else, and panics on several.",
        ],
    );
    refused(
        &[("wechat.yaml", "        required: true\n", "        required: false\n")],
        &["openapi/wechat.yaml:23:9: [shape] `required` is false. Write true."],
    );
    refused(
        &[("wechat.yaml", "        required: true\n", "")],
        &[
            "openapi/wechat.yaml:22:7: [shape] `requestBody` lacks `required`. Add it.",
            "openapi/wechat.yaml:54:7: [shape] `requestBody` lacks `required`. Add it.",
            "openapi/wechat.yaml:67:7: [shape] `requestBody` lacks `required`. Add it.",
            "openapi/wechat.yaml:85:7: [shape] `requestBody` lacks `required`. Add it.",
        ],
    );
    refused(
        &[("users.yaml", "    get:\n", "    patch:\n")],
        &[
            "openapi/users.yaml:7:5: [shape] `patch` has no place in a path. The API has `get`, `post`, `put` and `delete` operations, and nothing is shared between those of a path.",
        ],
    );
    refused(
        &[("users.yaml", "        - name: userId\n", "        - $ref: '#/components/parameters/userId'\n")],
        &[
            "openapi/users.yaml:15:11: [shape] Item 1 of `parameters` lacks `name`. Add it.",
            "openapi/users.yaml:15:11: [shape] `$ref` has no place in a parameter. Known are `name`, `in`, `required`, `description`, `schema`, `example`, `x-not-secret`.",
        ],
    );
    refused(
        &[("genauth.yaml", "  securitySchemes:\n", "  parameters: {}\n  securitySchemes:\n")],
        &[
            "openapi/genauth.yaml:29:3: [shape] `parameters` has no place in the components. Known are `schemas`, `securitySchemes`.",
        ],
    );
}

#[test]
fn only_an_operation_is_deprecated() {
    refused(
        &[("users.yaml", "          in: query\n", "          in: query\n          deprecated: true\n")],
        &[
            "openapi/users.yaml:24:11: [shape] `deprecated` has no place in a parameter. Known are `name`, `in`, `required`, `description`, `schema`, `example`, `x-not-secret`.",
        ],
    );
    refused(
        &[(
            "users.yaml",
            "        id:\n          type: string",
            "        id:\n          type: string\n          deprecated: true",
        )],
        &[
            "openapi/users.yaml:82:11: [shape] `deprecated` has no place in a schema. Known are `type`, `format`, `title`, `description`, `example`, `properties`, `required`, `items`, `enum`, `allOf`, `oneOf`, `nullable`, `default`, `minimum`, `maximum`, `minLength`, `maxLength`, `minItems`, `maxItems`, `pattern`, `additionalProperties`, `x-any`, `x-not-secret`.",
        ],
    );
}

#[test]
fn nothing_stands_beside_a_reference() {
    refused(
        &[(
            "wechat.yaml",
            "          $ref: '#/components/schemas/UnixTimestamp'",
            "          $ref: '#/components/schemas/UnixTimestamp'\n          description: When it expires.",
        )],
        &[
            "openapi/wechat.yaml:116:11: [shape] `description` has no place in a reference. Tools ignore what is beside `$ref`: remove it, or wrap the reference in `allOf`.",
        ],
    );
}
