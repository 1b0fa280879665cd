//! Reading and merging.

use super::refused;

#[test]
fn a_group_holds_tags_paths_and_components_alone() {
    refused(
        &[("users.yaml", "paths:\n", "info:\n  title: Users\npaths:\n")],
        &[
            "openapi/users.yaml:5:1: [merge] `info` has no place in a group, which has `tags`, `paths` and `components`. Move it to genauth.yaml.",
        ],
    );
    refused(
        &[("users.yaml", "components:\n  schemas:\n", "components:\n  examples: []\n  schemas:\n")],
        &["openapi/users.yaml:68:3: [merge] `examples` is not a mapping. Write names and what they stand for."],
    );
    refused(
        &[(
            "users.yaml",
            "tags:\n  - name: users\n    description: What the server knows about a user.\n",
            "tags: users\n",
        )],
        &["openapi/users.yaml:2:1: [merge] `tags` is not a list. Write one."],
    );
}

#[test]
fn nothing_is_defined_twice() {
    refused(
        &[("users.yaml", "    UserDto:\n", "    Envelope:\n")],
        &["openapi/users.yaml:76:5: [merge] `Envelope` is already in openapi/genauth.yaml:47. Remove one of them."],
    );
    refused(
        &[("users.yaml", "/api/v3/users/{userId}:", "/api/v3/get-weixin-access-token:")],
        &[
            "openapi/wechat.yaml:77:3: [merge] `/api/v3/get-weixin-access-token` is already in openapi/users.yaml:6. Remove one of them.",
        ],
    );
    refused(
        &[("users.yaml", "  schemas:\n", "  securitySchemes:\n    appId:\n      type: http\n  schemas:\n")],
        &["openapi/users.yaml:69:5: [merge] `appId` is already in openapi/genauth.yaml:30. Remove one of them."],
    );
    refused(
        &[("users.yaml", "        status:\n", "        id:\n          type: string\n        status:\n")],
        &[
            "openapi/users.yaml:82:9: [yaml] YAML: duplicated key in mapping. Look at indentation, quotes and colons there.",
        ],
    );
    refused(
        &[("users.yaml", "        '200':", "        200:\n          description: Once more.\n        '200':")],
        &["openapi/users.yaml:30:9: [yaml] The key `200` stands twice. Remove one."],
    );
}

#[test]
fn yaml_beyond_json_is_refused() {
    refused(
        &[("users.yaml", "        status:\n", "        <<: {}\n        status:\n")],
        &[
            "openapi/users.yaml:82:9: [yaml] Merge keys are not resolved. Write the members out, or use an alias for all of them.",
        ],
    );
    refused(
        &[("users.yaml", "enum: [active, blocked]", "enum: [.nan, .inf]")],
        &[
            "openapi/users.yaml:103:18: [yaml] JSON has no such number. Write a finite one, or quote it.",
            "openapi/users.yaml:103:24: [yaml] JSON has no such number. Write a finite one, or quote it.",
        ],
    );
    refused(
        &[("users.yaml", "enum: [active, blocked]", "enum: !Status [active]")],
        &["openapi/users.yaml:103:17: [yaml] The tag `!Status` is not known. Remove it."],
    );
    refused(
        &[("users.yaml", "enum: [active, blocked]", "example: !!int active")],
        &[
            "openapi/users.yaml:103:20: [yaml] The value does not fit its tag, or is an alias within its own anchor. Write it out.",
        ],
    );
    refused(
        &[("users.yaml", "        status:\n", "        true:\n")],
        &["openapi/users.yaml:82:9: [yaml] The key is not a string. Quote it."],
    );
    refused(
        &[("users.yaml", "paths:\n", "---\npaths:\n")],
        &["openapi/users.yaml:6:1: [yaml] There is a second YAML document. Keep one in each fragment."],
    );
    refused(
        &[("users.yaml", "\npaths:\n", "\n	paths:\n")],
        &[
            "openapi/users.yaml:4:18: [yaml] YAML: while scanning a plain scalar, found a tab. Look at indentation, quotes and colons there.",
        ],
    );
    refused(
        &[("users.yaml", "paths:\n", "paths: &paths\n  again: *paths\n")],
        &[
            "openapi/users.yaml:6:10: [yaml] The value does not fit its tag, or is an alias within its own anchor. Write it out.",
        ],
    );
    refused(
        &[(
            "users.yaml",
            "tags:\n",
            "tags:\n                                                                                                                                 \n",
        )],
        &["openapi/users.yaml:3:1: [yaml] The line is indented by more than 128 columns. Nest less."],
    );
    refused(
        &[(
            "users.yaml",
            "enum: [active, blocked]",
            "example: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
        )],
        &["openapi/users.yaml:103:79: [yaml] The value is nested more than 64 levels deep. Nest less."],
    );
    refused(
        &[("users.yaml", "        status:", "        \0status:")],
        &["openapi/users.yaml:82:9: [yaml] A NUL character. Remove it."],
    );
}
