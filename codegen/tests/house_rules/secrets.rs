//! Secrets and what looks like one.

use super::refused;

#[test]
fn what_looks_secret_is_a_password_or_says_why_not() {
    refused(
        &[(
            "wechat.yaml",
            "          type: string\n          format: password\n          description: Its AppSecret.",
            "          type: string\n          description: Its AppSecret.",
        )],
        &[
            "openapi/wechat.yaml:99:9: [secret] The property `appSecret` looks secret (`secret`) but is a plain string. Add `format: password`, or say why not in `x-not-secret`.",
        ],
    );
    refused(
        &[("users.yaml", "            type: string\n            format: password\n", "            type: string\n")],
        &[
            "openapi/users.yaml:89:9: [secret] The property `recoveryTokens` looks secret (`token`) but is a plain string. Add `format: password`, or say why not in `x-not-secret`.",
        ],
    );
    refused(
        &[("users.yaml", "          x-not-secret: names a kind of token\n", "")],
        &[
            "openapi/users.yaml:94:9: [secret] The property `tokenHint` looks secret (`token`) but is a plain string. Add `format: password`, or say why not in `x-not-secret`.",
        ],
    );
    refused(
        &[(
            "users.yaml",
            "        status:\n",
            "        API_KEY:\n          oneOf:\n            - type: string\n            - type: integer\n        status:\n",
        )],
        &[
            "openapi/users.yaml:82:9: [secret] The property `API_KEY` looks secret (`apikey`) but is a plain string. Add `format: password`, or say why not in `x-not-secret`.",
        ],
    );
    refused(
        &[("users.yaml", "        status:\n", "        smsPassCode:\n          type: string\n        status:\n")],
        &[
            "openapi/users.yaml:82:9: [secret] The property `smsPassCode` looks secret (`passcode`) but is a plain string. Add `format: password`, or say why not in `x-not-secret`.",
        ],
    );
}

#[test]
fn a_secret_stands_where_it_is_used_and_not_under_a_name() {
    refused(
        &[
            (
                "users.yaml",
                "            type: string\n            format: password\n",
                "            $ref: '#/components/schemas/Code'\n",
            ),
            (
                "users.yaml",
                "    CreateUserDto:\n",
                "    Code:\n      type: string\n      format: password\n    CreateUserDto:\n",
            ),
        ],
        &[
            "openapi/users.yaml:96:5: [secret] A named schema cannot be a secret. Write `format: password` where it is used.",
        ],
    );
    refused(
        &[
            (
                "users.yaml",
                "            type: string\n            format: password\n",
                "            $ref: '#/components/schemas/Code'\n",
            ),
            (
                "users.yaml",
                "    CreateUserDto:\n",
                "    Code:\n      allOf:\n        - type: string\n          format: password\n    CreateUserDto:\n",
            ),
        ],
        &[
            "openapi/users.yaml:96:5: [secret] A named schema cannot be a secret. Write `format: password` where it is used.",
        ],
    );
}

#[test]
fn a_password_has_no_constraint_that_nothing_checks() {
    refused(
        &[(
            "wechat.yaml",
            "          format: password\n          description: Its AppSecret.",
            "          format: password\n          minLength: 32\n          pattern: ^[0-9a-f]+$\n          description: Its AppSecret.",
        )],
        &[
            "openapi/wechat.yaml:102:11: [secret] `minLength` is not checked on a `format: password` string. Remove it.",
            "openapi/wechat.yaml:103:11: [secret] `pattern` is not checked on a `format: password` string. Remove it.",
        ],
    );
    refused(
        &[(
            "users.yaml",
            "        id:\n          type: string",
            "        id:\n          type: integer\n          format: password",
        )],
        &["openapi/users.yaml:82:11: [secret] `format: password` is for strings. Add `type: string`."],
    );
}

#[test]
fn no_secret_stands_in_an_address() {
    refused(
        &[
            ("users.yaml", "name: withRoles", "name: ticket_token"),
            ("users.yaml", "type: boolean\n          example: true", "type: string\n          example: x"),
        ],
        &[
            "openapi/users.yaml:22:11: [secret] The parameter `ticket_token` puts a secret into the address. Send it in a body, or say in `x-not-secret` why it is not a secret.",
        ],
    );
    refused(
        &[("users.yaml", "            type: boolean", "            type: string\n            format: password")],
        &[
            "openapi/users.yaml:22:11: [secret] The parameter `withRoles` puts a secret into the address. Send it in a body, or say in `x-not-secret` why it is not a secret.",
        ],
    );
    refused(
        &[("users.yaml", "          in: query\n", "          in: query\n          x-not-secret: only a flag\n")],
        &[
            "openapi/users.yaml:24:11: [secret] The parameter `withRoles` is not taken for a secret. Remove `x-not-secret`.",
        ],
    );
    refused(
        &[
            ("users.yaml", "          in: query\n", "          in: query\n          x-not-secret: only a flag\n"),
            ("users.yaml", "            type: boolean", "            type: string\n            format: password"),
        ],
        &[
            "openapi/users.yaml:24:11: [secret] The parameter `withRoles` is `format: password` and `x-not-secret`. Remove one.",
        ],
    );
}

#[test]
fn a_reason_without_need_is_refused() {
    refused(
        &[(
            "users.yaml",
            "        id:\n          type: string",
            "        id:\n          type: string\n          x-not-secret: an id",
        )],
        &["openapi/users.yaml:82:11: [secret] The property `id` is not taken for a secret. Remove `x-not-secret`."],
    );
    refused(
        &[("users.yaml", "        tokenHint:\n          type: string", "        tokenHint:\n          type: integer")],
        &[
            "openapi/users.yaml:96:11: [secret] The property `tokenHint` is not taken for a secret. Remove `x-not-secret`.",
        ],
    );
    refused(
        &[(
            "users.yaml",
            "        tokenHint:\n          type: string",
            "        tokenHint:\n          type: string\n          format: password",
        )],
        &[
            "openapi/users.yaml:97:11: [secret] The property `tokenHint` is `format: password` and `x-not-secret`. Remove one.",
        ],
    );
    refused(
        &[(
            "users.yaml",
            "    UserDto:\n      type: object",
            "    UserDto:\n      type: object\n      x-not-secret: no secret",
        )],
        &[
            "openapi/users.yaml:78:7: [secret] `x-not-secret` has no effect here. Move it to a property or parameter, or remove it.",
        ],
    );
}
