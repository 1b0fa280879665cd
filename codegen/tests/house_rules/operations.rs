//! What a fragment says about an operation.

use super::refused;

#[test]
fn an_operation_has_an_id_of_its_own_in_camel_case() {
    refused(
        &[("wechat.yaml", "      operationId: getWeixinAccessToken\n", "")],
        &[
            "openapi/wechat.yaml:78:5: [operation-id] `POST /api/v3/get-weixin-access-token` has no `operationId`. Name it in camelCase.",
        ],
    );
    refused(
        &[("wechat.yaml", "operationId: getWeixinAccessToken", "operationId: get_weixin_access_token")],
        &[
            "openapi/wechat.yaml:79:7: [operation-id] `get_weixin_access_token` is not camelCase. Begin with a small letter, and use only letters and digits.",
        ],
    );
    refused(
        &[("wechat.yaml", "operationId: getWeixinAccessToken", "operationId: GetWeixinAccessToken")],
        &[
            "openapi/wechat.yaml:79:7: [operation-id] `GetWeixinAccessToken` is not camelCase. Begin with a small letter, and use only letters and digits.",
        ],
    );
    refused(
        &[("wechat.yaml", "operationId: getWeixinAccessToken", "operationId: getWechataccesstoken")],
        &[
            "openapi/wechat.yaml:79:7: [operation-id] `getWechataccesstoken` is the id in openapi/wechat.yaml:46 already. Choose another.",
        ],
    );
    refused(
        &[("wechat.yaml", "operationId: getWeixinAccessToken", "operationId: newWithClient")],
        &[
            "openapi/wechat.yaml:79:7: [operation-id] `newWithClient` is a method of the client already. Choose another id.",
        ],
    );
    for id in ["clone", "new", "signIn", "withOptions"] {
        let told = format!(
            "openapi/wechat.yaml:79:7: [operation-id] `{id}` is a method of the client already. Choose another id."
        );
        let id = format!("operationId: {id}\n");
        refused(&[("wechat.yaml", "operationId: getWeixinAccessToken\n", &id)], &[&told]);
    }
}

#[test]
fn an_operation_has_a_summary() {
    refused(
        &[("wechat.yaml", "      summary: WeChat's access token for the management side.\n", "")],
        &["openapi/wechat.yaml:78:5: [summary] `getWeixinAccessToken` has no `summary`. Say in one line what it does."],
    );
    refused(
        &[("wechat.yaml", "WeChat's access token for the management side.", "' '")],
        &["openapi/wechat.yaml:80:7: [summary] `getWeixinAccessToken` has no `summary`. Say in one line what it does."],
    );
}

#[test]
fn an_operation_has_a_description() {
    refused(
        &[("users.yaml", "      description: Answers one.\n", "")],
        &["openapi/users.yaml:7:5: [description] `getUser` has no `description`. Say what its callers should know."],
    );
    refused(
        &[("users.yaml", "description: Answers one.", "description: ' '")],
        &["openapi/users.yaml:10:7: [description] `getUser` has no `description`. Say what its callers should know."],
    );
}

#[test]
fn an_operation_has_the_one_tag_of_its_group() {
    refused(
        &[("users.yaml", "      tags: [users]\n", "")],
        &["openapi/users.yaml:7:5: [tag] `getUser` has 0 tags. Give it the one of its group."],
    );
    refused(
        &[("users.yaml", "tags: [users]", "tags: [users, wechat]")],
        &["openapi/users.yaml:11:7: [tag] `getUser` has 2 tags. Give it the one of its group."],
    );
    refused(
        &[("users.yaml", "tags: [users]", "tags: [user]"), ("users.yaml", "tags: [users]", "tags: [user]")],
        &[
            "openapi/users.yaml:11:14: [tag] The tag `user` is not declared. Did you mean `users`?",
            "openapi/users.yaml:46:14: [tag] The tag `user` is not declared. Did you mean `users`?",
        ],
    );
    refused(
        &[("users.yaml", "  - name: users\n", "  - name: users\n  - name: users\n")],
        &["openapi/users.yaml:4:5: [tag] The tag `users` is declared twice. Remove one."],
    );
}

#[test]
fn an_operation_says_who_may_call_it() {
    refused(
        &[("users.yaml", "      security:\n        - userAccessToken: []\n", "")],
        &["openapi/users.yaml:7:5: [security] `getUser` has no `security`. List the schemes it takes."],
    );
    refused(
        &[("users.yaml", "- userAccessToken: []", "- {}\n        - userAccessToken: []")],
        &[
            "openapi/users.yaml:13:11: [security] The requirement is empty: anybody could call. Name a scheme, or make it the only one.",
        ],
    );
    refused(
        &[("wechat.yaml", "- appId: []\n        - appId: []", "- appID: []\n        - appId: []")],
        &["openapi/wechat.yaml:18:11: [security] There is no security scheme `appID`. Did you mean `appId`?"],
    );
    refused(
        &[(
            "genauth.yaml",
            "    userAccessToken:\n      type: http",
            "    botToken:\n      type: http\n      scheme: bearer\n    userAccessToken:\n      type: http",
        )],
        &["openapi/genauth.yaml:35:5: [security] No operation takes the security scheme `botToken`. Remove it."],
    );
}

#[test]
fn a_deprecated_operation_names_a_successor_that_is_not_deprecated() {
    refused(
        &[("wechat.yaml", "      x-replaced-by: getWechatMpAccessTokenInfo\n", "")],
        &[
            "openapi/wechat.yaml:14:7: [replaced-by] `getWechatMpAccessToken` is deprecated without `x-replaced-by`. Name the operation to use instead.",
        ],
    );
    refused(
        &[("wechat.yaml", "      deprecated: true\n", "")],
        &[
            "openapi/wechat.yaml:14:7: [replaced-by] `getWechatMpAccessToken` has a replacement but is not deprecated. Add `deprecated: true`, or remove it.",
        ],
    );
    refused(
        &[("wechat.yaml", "x-replaced-by: getWechatMpAccessTokenInfo", "x-replaced-by: getToken")],
        &[
            "openapi/wechat.yaml:15:7: [replaced-by] `getWechatMpAccessToken` is replaced by `getToken`, which does not exist. Name an operation that exists.",
        ],
    );
    refused(
        &[("wechat.yaml", "x-replaced-by: getWechatMpAccessTokenInfo", "x-replaced-by: getWechatAccessToken")],
        &[
            "openapi/wechat.yaml:15:7: [replaced-by] `getWechatMpAccessToken` is replaced by `getWechatAccessToken`, which is deprecated itself. Name its successor.",
        ],
    );
    refused(
        &[("wechat.yaml", "x-replaced-by: getWechatMpAccessTokenInfo", "x-replaced-by: getWechatMpAccessToken")],
        &["openapi/wechat.yaml:15:7: [replaced-by] `getWechatMpAccessToken` replaces itself. Name another operation."],
    );
}

#[test]
fn only_a_post_says_that_it_is_idempotent() {
    refused(
        &[("users.yaml", "      tags: [users]\n", "      tags: [users]\n      x-idempotent: true\n")],
        &["openapi/users.yaml:12:7: [idempotent] `getUser` is idempotent as a `get`. Remove `x-idempotent`."],
    );
}

#[test]
fn an_answer_is_a_schema_with_the_envelope() {
    refused(
        &[(
            "users.yaml",
            "          content:\n            application/json:\n              schema:\n                $ref: '#/components/schemas/UserRespDto'\n              example:\n                statusCode: 200\n                message: Success\n                data:\n                  id: u1\n                  friends:\n                    - id: u2\n",
            "",
        )],
        &[
            "openapi/users.yaml:28:9: [answer] `getUser` has no schema for its 200 JSON answer. Add one.",
            "openapi/users.yaml:58:5: [unreferenced] No operation uses the schema `UserRespDto`. Remove it.",
            "openapi/users.yaml:65:5: [unreferenced] No operation uses the schema `UserDto`. Remove it.",
        ],
    );
    refused(
        &[(
            "users.yaml",
            "              schema:\n                $ref: '#/components/schemas/UserRespDto'\n",
            "              schema:\n                allOf:\n                  - $ref: '#/components/schemas/UserRespDto'\n",
        )],
        &[],
    );
    refused(
        &[("users.yaml", "        - $ref: '#/components/schemas/Envelope'\n", "")],
        &[
            "openapi/users.yaml:32:15: [answer] The answer `UserRespDto` has no required integer `statusCode`. Put the envelope in its `allOf`.",
            "openapi/users.yaml:32:15: [answer] The answer `UserRespDto` has no required string `message`. Put the envelope in its `allOf`.",
        ],
    );
    refused(
        &[("genauth.yaml", "required: [statusCode, message]", "required: [message]")],
        &[
            "openapi/wechat.yaml:36:15: [answer] The answer `GetWechatAccessTokenRespDto` has no required integer `statusCode`. Put the envelope in its `allOf`.",
            "openapi/wechat.yaml:74:15: [answer] The answer `GetWechatAccessTokenInfoRespDto` has no required integer `statusCode`. Put the envelope in its `allOf`.",
        ],
    );
    refused(
        &[("genauth.yaml", "        message:\n          type: string", "        message:\n          type: integer")],
        &[
            "openapi/wechat.yaml:36:15: [answer] The answer `GetWechatAccessTokenRespDto` has no required string `message`. Put the envelope in its `allOf`.",
            "openapi/wechat.yaml:74:15: [answer] The answer `GetWechatAccessTokenInfoRespDto` has no required string `message`. Put the envelope in its `allOf`.",
        ],
    );
}

#[test]
fn a_request_body_is_an_object_and_not_of_a_get() {
    refused(
        &[(
            "users.yaml",
            "      responses:\n",
            "      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              $ref: '#/components/schemas/UserDto'\n            example:\n              id: u1\n      responses:\n",
        )],
        &["openapi/users.yaml:27:7: [body] `getUser` is a `get` with a body. Use parameters, or `post`."],
    );
    refused(
        &[(
            "wechat.yaml",
            "              $ref: '#/components/schemas/GetWechatAccessTokenDto'\n",
            "              type: array\n              items:\n                $ref: '#/components/schemas/GetWechatAccessTokenDto'\n",
        )],
        &["openapi/wechat.yaml:26:13: [body] The request body is not an object. Give it `type: object`."],
    );
    refused(
        &[(
            "wechat.yaml",
            "#/components/schemas/GetWechatAccessTokenDto'\n            example:\n              appId: wx0123456789abcdef\n              appSecret: example-wechat-app-secret",
            "#/components/schemas/UnixTimestamp'\n            example: 5",
        )],
        &[
            "openapi/wechat.yaml:26:13: [body] The request body `UnixTimestamp` is not an object. Give it `type: object`.",
            "openapi/wechat.yaml:88:5: [unreferenced] No operation uses the schema `GetWechatAccessTokenDto`. Remove it.",
        ],
    );
}

#[test]
fn examples_stand_everywhere_and_have_what_is_required() {
    refused(
        &[(
            "wechat.yaml",
            "            example:\n              appId: wx0123456789abcdef\n              appSecret: example-wechat-app-secret\n",
            "",
        )],
        &["openapi/wechat.yaml:25:11: [example] The request body `GetWechatAccessTokenDto` has no example. Add one."],
    );
    refused(
        &[("wechat.yaml", "              appSecret: example-wechat-app-secret\n", "")],
        &["openapi/wechat.yaml:28:13: [example] The example lacks `appSecret`, which is required. Add it."],
    );
    refused(
        &[("wechat.yaml", "              example: *tokenExample\n", "")],
        &["openapi/wechat.yaml:73:13: [example] The answer `GetWechatAccessTokenInfoRespDto` has no example. Add one."],
    );
    refused(
        &[("wechat.yaml", "                  expiresAt: 1772618400\n", "")],
        &["openapi/wechat.yaml:41:17: [example] The example lacks `expiresAt`, which is required. Add it."],
    );
    refused(
        &[("wechat.yaml", "              example: *tokenExample", "              example: []")],
        &[
            "openapi/wechat.yaml:76:15: [example] The example is not of its schema's type. Write an object, as the schema says.",
        ],
    );
    refused(
        &[("users.yaml", "          example: u1\n", "")],
        &["openapi/users.yaml:15:11: [example] The parameter `userId` has no example. Add one."],
    );
    refused(
        &[("users.yaml", "                    - id: u2\n", "                    - name: Ann\n")],
        &[
            "openapi/users.yaml:40:23: [example] The example has `name`, which its schema does not describe. Describe it, or leave it out.",
            "openapi/users.yaml:40:23: [example] The example lacks `id`, which is required. Add it.",
        ],
    );
}

#[test]
fn the_management_token_is_not_needed_to_get_the_management_token() {
    let scheme = ("genauth.yaml", "    userAccessToken:\n", "    managementToken:\n");
    let callers = ("wechat.yaml", "          userAccessToken: []\n", "          managementToken: []\n");
    let hands_out = ("wechat.yaml", "operationId: getWeixinAccessToken", "operationId: getManagementToken");
    let takes = (
        "wechat.yaml",
        "        - accessKeySignature: []\n      requestBody: *",
        "        - managementToken: []\n      requestBody: *",
    );
    refused(&[scheme, callers, takes], &[]);
    refused(&[scheme, callers, hands_out], &[]);
    refused(
        &[scheme, callers, takes, hands_out],
        &[
            "openapi/wechat.yaml:85:11: [security] `getManagementToken` hands out this token and would wait for itself. Remove the scheme.",
        ],
    );
}
