//! Schemas and references.

use super::{Fragments, USERS, refused};

#[test]
fn schema_names_are_pascal_case_and_differ_in_more_than_case() {
    refused(
        &[("users.yaml", "  schemas:\n", "  schemas:\n    userDTO:\n      type: object\n")],
        &[
            "openapi/users.yaml:69:5: [schema] The schema `userDTO` is not PascalCase. Begin with a capital letter, and use only letters and digits.",
            "openapi/users.yaml:69:5: [unreferenced] No operation uses the schema `userDTO`. Remove it.",
            "openapi/users.yaml:78:5: [schema] The schemas `userDTO` and `UserDto` differ only in case. Rename one.",
        ],
    );
}

#[test]
fn required_names_are_properties() {
    refused(
        &[("users.yaml", "required: [id]", "required: [id, name]")],
        &["openapi/users.yaml:78:22: [schema] `name` is required but is not a property. Add it, or leave it out here."],
    );
    refused(
        &[(
            "users.yaml",
            "        - type: object\n          properties:\n            data:\n",
            "        - type: object\n          required: [data, statusCode, other]\n          properties:\n            data:\n",
        )],
        &[
            "openapi/users.yaml:73:40: [schema] `other` is required but is not a property. Add it, or leave it out here.",
        ],
    );
}

#[test]
fn property_names_stay_apart_as_fields() {
    refused(
        &[(
            "users.yaml",
            "        tokenHint:\n",
            "        HTTPStatus:\n          type: integer\n        http_status:\n          type: integer\n        tokenHint:\n",
        )],
        &[
            "openapi/users.yaml:96:9: [schema] The properties `HTTPStatus` and `http_status` both become the field `http_status`. Rename one.",
        ],
    );
    refused(
        &[(
            "users.yaml",
            "        tokenHint:\n",
            "        OAUTH2URL:\n          type: string\n        oauth2url:\n          type: string\n        tokenHint:\n",
        )],
        &[
            "openapi/users.yaml:96:9: [schema] The properties `OAUTH2URL` and `oauth2url` both become the field `oauth2url`. Rename one.",
        ],
    );
    refused(
        &[(
            "users.yaml",
            "          properties:\n            data:\n",
            "          properties:\n            status_code:\n              type: integer\n            data:\n",
        )],
        &[
            "openapi/users.yaml:69:5: [schema] The properties `statusCode` and `status_code` both become the field `status_code`. Rename one.",
        ],
    );
}

#[test]
fn a_schema_says_what_it_is() {
    refused(
        &[(
            "users.yaml",
            "        status:\n          type: string\n          description: active or blocked.\n",
            "        status:\n          description: How it is.\n",
        )],
        &[
            "openapi/users.yaml:82:9: [schema] The property `status` does not say what it is. Give it a `type`, `allOf`, `oneOf` or `$ref`, or `x-any: true` if it may be anything.",
        ],
    );
    refused(
        &[("users.yaml", "    UserDto:\n      type: object\n", "    UserDto:\n")],
        &[
            "openapi/users.yaml:76:5: [schema] The schema does not say what it is. Give it a `type`, `allOf`, `oneOf` or `$ref`, or `x-any: true` if it may be anything.",
        ],
    );
    refused(
        &[("users.yaml", "          items:\n            $ref: '#/components/schemas/UserDto'\n", "")],
        &["openapi/users.yaml:85:9: [schema] The array does not say what its items are. Add `items`."],
    );
    refused(
        &[(
            "users.yaml",
            "          items:\n            $ref: '#/components/schemas/UserDto'\n",
            "          items:\n            description: What.\n",
        )],
        &[
            "openapi/users.yaml:87:11: [schema] The schema of the items does not say what it is. Give it a `type`, `allOf`, `oneOf` or `$ref`, or `x-any: true` if it may be anything.",
        ],
    );
    refused(
        &[(
            "users.yaml",
            "        status:\n          type: string\n          description: active or blocked.\n",
            "        status:\n          oneOf: []\n        other:\n          allOf: []\n",
        )],
        &[
            "openapi/users.yaml:83:11: [schema] `oneOf` is empty. Fill it, or remove it.",
            "openapi/users.yaml:85:11: [schema] `allOf` is empty. Fill it, or remove it.",
        ],
    );
}

#[test]
fn an_enum_lists_distinct_strings() {
    refused(
        &[("users.yaml", "enum: [active, blocked]", "enum: []")],
        &["openapi/users.yaml:103:11: [schema] `enum` is empty. Fill it, or remove it."],
    );
    refused(
        &[("users.yaml", "enum: [active, blocked]", "enum: [active, 1]")],
        &["openapi/users.yaml:103:11: [schema] `enum` has a value that is not a string. Quote it."],
    );
    refused(
        &[("users.yaml", "enum: [active, blocked]", "enum: [active, active]")],
        &["openapi/users.yaml:103:11: [schema] `enum` has a value twice. Remove one."],
    );
    refused(
        &[("users.yaml", "type: string\n          enum: [active, blocked]", "type: integer\n          enum: [1, 2]")],
        &["openapi/users.yaml:103:11: [schema] `enum` is for strings. Add `type: string`, or remove it."],
    );
}

#[test]
fn an_enum_may_stand_in_an_answer_but_for_a_value_that_is_called_as_what_is_not_listed() {
    refused(
        &[("users.yaml", "          description: active or blocked.\n", "          enum: [active, blocked]\n")],
        &[],
    );
    refused(
        &[("users.yaml", "          description: active or blocked.\n", "          enum: [active, unlisted]\n")],
        &[
            "openapi/users.yaml:84:11: [schema] `unlisted` becomes the variant for every value that is not listed. Make it a plain string.",
        ],
    );
}

#[test]
fn what_may_be_anything_says_so_and_no_more() {
    let anything = |words: &str| format!("        status:\n          x-any: true\n{words}");
    let edit = "        status:\n          type: string\n          description: active or blocked.\n";
    refused(&[("users.yaml", edit, &anything("          description: How it is.\n"))], &[]);
    refused(
        &[("users.yaml", edit, &anything("          type: string\n"))],
        &["openapi/users.yaml:83:11: [schema] `type` says more than `x-any`. Remove one of them."],
    );
    refused(
        &[("users.yaml", edit, &anything("").replace("true", "false"))],
        &["openapi/users.yaml:83:11: [shape] `x-any` is false. Write true."],
    );
    // The value may be a text, and a text may be a secret.
    refused(
        &[(
            "users.yaml",
            "          type: string\n          x-not-secret: names a kind of token\n",
            "          x-any: true\n",
        )],
        &[
            "openapi/users.yaml:94:9: [secret] The property `tokenHint` looks secret (`token`) but may be anything. Make it a `format: password` string, or say why not in `x-not-secret`.",
        ],
    );
}

#[test]
fn an_inline_object_gets_a_name_that_is_not_taken() {
    let inline = "        friends:\n          type: array\n          items:\n            type: object\n            properties:\n              id:\n                type: string\n";
    let named =
        "        friends:\n          type: array\n          items:\n            $ref: '#/components/schemas/UserDto'\n";
    let fragments = Fragments::sample();
    fragments.write("users.yaml", USERS);
    fragments.edit("users.yaml", named, inline);
    fragments.describe("users.yaml");
    assert_eq!(fragments.compile(), Vec::<String>::new());
    fragments.edit("users.yaml", "    CreateUserDto:\n", "    UserDtofriendsItem:\n");
    fragments.edit("users.yaml", "schemas/CreateUserDto", "schemas/UserDtofriendsItem");
    assert_eq!(
        fragments.compile(),
        [
            "openapi/users.yaml:93:11: [schema] The schema is inline, and its name would be `UserDtoFriendsItem`, which is taken. Move it to the components under another name."
        ]
    );
}

#[test]
fn an_enum_that_only_requests_hold_is_kept() {
    refused(
        &[(
            "users.yaml",
            "            type: boolean\n          example: true\n",
            "            type: string\n            enum: [all, none]\n          example: all\n",
        )],
        &[],
    );
}

#[test]
fn a_reference_leads_to_a_schema() {
    refused(
        &[(
            "users.yaml",
            "$ref: '#/components/schemas/UserDto'\n    UserDto",
            "$ref: '#/components/schemas/User'\n    UserDto",
        )],
        &[
            "openapi/users.yaml:75:15: [reference] There is no schema `User`. Describe it, or refer to one that exists.",
            "openapi/users.yaml:76:5: [unreferenced] No operation uses the schema `UserDto`. Remove it.",
        ],
    );
    refused(
        &[(
            "users.yaml",
            "$ref: '#/components/schemas/UserDto'\n    UserDto",
            "$ref: '#/definitions/UserDto'\n    UserDto",
        )],
        &[
            "openapi/users.yaml:75:15: [reference] `#/definitions/UserDto` is not a reference to a schema. Write `#/components/schemas/NAME`.",
            "openapi/users.yaml:76:5: [unreferenced] No operation uses the schema `UserDto`. Remove it.",
        ],
    );
}

#[test]
fn no_schema_is_made_of_itself() {
    refused(
        &[(
            "users.yaml",
            "      allOf:\n        - $ref: '#/components/schemas/Envelope'\n",
            "      allOf:\n        - $ref: '#/components/schemas/UserRespDto'\n        - $ref: '#/components/schemas/Envelope'\n",
        )],
        &[
            "openapi/users.yaml:69:5: [reference] The schema `UserRespDto` contains itself without end. Break the circle: a property may refer back by a plain `$ref`.",
        ],
    );
    refused(
        &[(
            "users.yaml",
            "components:\n  schemas:\n",
            "components:\n  schemas:\n    Ping:\n      $ref: '#/components/schemas/Pong'\n    Pong:\n      $ref: '#/components/schemas/Ping'\n",
        )],
        &[
            "openapi/users.yaml:69:5: [reference] The schema `Ping` contains itself without end. Break the circle: a property may refer back by a plain `$ref`.",
            "openapi/users.yaml:69:5: [unreferenced] No operation uses the schema `Ping`. Remove it.",
            "openapi/users.yaml:71:5: [reference] The schema `Pong` contains itself without end. Break the circle: a property may refer back by a plain `$ref`.",
            "openapi/users.yaml:71:5: [unreferenced] No operation uses the schema `Pong`. Remove it.",
        ],
    );
    refused(
        &[(
            "users.yaml",
            "          items:\n            $ref: '#/components/schemas/UserDto'\n",
            "          items:\n            allOf:\n              - $ref: '#/components/schemas/UserDto'\n              - type: object\n                properties:\n                  since:\n                    type: string\n",
        )],
        &[
            "openapi/users.yaml:76:5: [reference] The schema `UserDto` contains itself without end. Break the circle: a property may refer back by a plain `$ref`.",
        ],
    );
}

#[test]
fn every_schema_is_in_use() {
    refused(
        &[("users.yaml", "  schemas:\n", "  schemas:\n    Spare:\n      type: object\n")],
        &["openapi/users.yaml:69:5: [unreferenced] No operation uses the schema `Spare`. Remove it."],
    );
}

#[test]
fn what_the_build_replaces_is_there() {
    refused(
        &[
            ("genauth.yaml", "    UnixTimestamp:", "    Timestamp:"),
            ("wechat.yaml", "schemas/UnixTimestamp", "schemas/Timestamp"),
        ],
        &[
            "openapi/genauth.yaml: [replacement] The build replaces the schema `UnixTimestamp` by a hand-written type, but there is no such schema. Add it, or drop the replacement.",
            "openapi/genauth.yaml:74:11: [schema] The generated type does not check `pattern`. Say it in the description.",
        ],
    );
}

#[test]
fn what_the_generated_type_cannot_keep_is_said_in_words() {
    refused(
        &[(
            "users.yaml",
            "        id:\n          type: string\n",
            "        id:\n          type: string\n          format: uuid\n          maxLength: 36\n          pattern: ^u\n",
        )],
        &[
            "openapi/users.yaml:82:11: [schema] The client has no type for the format `uuid`. Say it in the description.",
            "openapi/users.yaml:83:11: [schema] The generated type does not check `maxLength`. Say it in the description.",
            "openapi/users.yaml:84:11: [schema] The generated type does not check `pattern`. Say it in the description.",
        ],
    );
}

#[test]
fn one_slip_is_one_error_with_what_was_meant() {
    refused(
        &[("users.yaml", "$ref: '#/components/schemas/UserRespDto'", "$ref: '#/components/schemas/UserRspDto'")],
        &["openapi/users.yaml:33:17: [reference] There is no schema `UserRspDto`. Did you mean `UserRespDto`?"],
    );
    refused(
        &[(
            "wechat.yaml",
            "        - $ref: '#/components/schemas/Envelope'",
            "        - $ref: '#/components/schemas/Envelop'",
        )],
        &["openapi/wechat.yaml:119:11: [reference] There is no schema `Envelop`. Did you mean `Envelope`?"],
    );
    refused(
        &[("wechat.yaml", "required: [appId, appSecret]", "required: [apId, appSecret]")],
        &["openapi/wechat.yaml:93:18: [schema] `apId` is required but is not a property. Did you mean `appId`?"],
    );
    refused(
        &[("wechat.yaml", "x-replaced-by: getWechatMpAccessTokenInfo", "x-replaced-by: getWechatMpAccesTokenInfo")],
        &[
            "openapi/wechat.yaml:15:7: [replaced-by] `getWechatMpAccessToken` is replaced by `getWechatMpAccesTokenInfo`, which does not exist. Did you mean `getWechatMpAccessTokenInfo`?",
        ],
    );
}

#[test]
fn every_schema_and_property_is_described() {
    refused(
        &[("wechat.yaml", "          description: Its AppSecret.\n", "")],
        &[
            "openapi/wechat.yaml:99:9: [description] The property `appSecret` has no `description`. Say in a sentence what it is.",
        ],
    );
    refused(
        &[("wechat.yaml", "      description: Which WeChat app's token is asked for.\n", "")],
        &["openapi/wechat.yaml:90:5: [description] The schema has no `description`. Say in a sentence what it is."],
    );
}

#[test]
fn what_would_be_sent_otherwise_than_it_was_meant_is_refused() {
    refused(
        &[(
            "wechat.yaml",
            "          example: wx0123456789abcdef\n",
            "          example: wx0\n          default: wx1\n",
        )],
        &[
            "openapi/wechat.yaml:99:11: [schema] A `default` would be sent, or read, where no value was given. Say in the description what the server assumes then.",
        ],
    );
    refused(
        &[(
            "wechat.yaml",
            "        appSecret:\n",
            "        pageSize:\n          type: number\n          description: How many.\n        appSecret:\n",
        )],
        &[
            "openapi/wechat.yaml:100:11: [schema] `pageSize` counts, and would be sent as `10.0`. Make it `type: integer`.",
        ],
    );
}

#[test]
fn an_example_is_what_its_schema_says() {
    refused(
        &[("wechat.yaml", "              appId: wx0123456789abcdef\n", "              appId: 7\n")],
        &[
            "openapi/wechat.yaml:29:15: [example] The example is not of its schema's type. Write a string, as the schema says.",
        ],
    );
    refused(
        &[("wechat.yaml", "          example: wx0123456789abcdef\n", "          example: [wx]\n")],
        &[
            "openapi/wechat.yaml:98:11: [example] The example is not of its schema's type. Write a string, as the schema says.",
        ],
    );
    refused(
        &[(
            "wechat.yaml",
            "                message: Success\n",
            "                message: Success\n                apicode: 7\n",
        )],
        &[
            "openapi/wechat.yaml:41:17: [example] The example has `apicode`, which its schema does not describe. Did you mean `apiCode`?",
        ],
    );
}

#[test]
fn a_description_is_not_taken_for_code() {
    for code in ["One.\\n\\n    let x = 1;", "One.\\n```\\nlet x = 1;\\n```", "One.\\n\\n\\tlet x = 1;"] {
        let description = format!("          description: \"{code}\"\n");
        refused(
            &[("wechat.yaml", "          description: Its AppSecret.\n", &description)],
            &[
                "openapi/wechat.yaml:102:11: [sentence] A line is indented like code, which the documentation's tests would compile. Begin it without spaces.",
            ],
        );
    }
}
