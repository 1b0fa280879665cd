//! Paths and their parameters.

use super::refused;

#[test]
fn a_path_is_made_of_plain_segments() {
    refused(
        &[("users.yaml", "/api/v3/users/{userId}:", "api/v3/users/{userId}:")],
        &["openapi/users.yaml:6:3: [path] The path `api/v3/users/{userId}` does not start with a slash. Add it."],
    );
    refused(
        &[("users.yaml", "/api/v3/users/{userId}:", "/api/v3/users/{userId}/:")],
        &["openapi/users.yaml:6:3: [path] The path `/api/v3/users/{userId}/` ends with a slash. Remove it."],
    );
    refused(
        &[("users.yaml", "/api/v3/users/{userId}:", "/api/v3/users/{userId}?all:")],
        &[
            "openapi/users.yaml:6:3: [path] The path `/api/v3/users/{userId}?all` has a query or fragment. Describe it by parameters.",
            "openapi/users.yaml:15:11: [parameter] The path has no place for the parameter `userId`. Add it, or remove it.",
        ],
    );
    refused(
        &[("users.yaml", "/api/v3/users/{userId}:", "/api//users/{userId}:")],
        &[
            "openapi/users.yaml:6:3: [path] The path `/api//users/{userId}` has a segment that cannot be generated. Use letters, digits and `._~-`, or only `{name}`.",
        ],
    );
    refused(
        &[("users.yaml", "/api/v3/users/{userId}:", "/api/v3/us ers/{userId}:")],
        &[
            "openapi/users.yaml:6:3: [path] The path `/api/v3/us ers/{userId}` has a segment that cannot be generated. Use letters, digits and `._~-`, or only `{name}`.",
        ],
    );
    refused(
        &[("users.yaml", "/api/v3/users/{userId}:", "/api/v3/users}/{userId}:")],
        &[
            "openapi/users.yaml:6:3: [path] The path `/api/v3/users}/{userId}` has a segment that cannot be generated. Use letters, digits and `._~-`, or only `{name}`.",
        ],
    );
    refused(
        &[("users.yaml", "paths:\n", "paths:\n  /api/v3/nothing: {}\n")],
        &["openapi/users.yaml:6:3: [path] The path `/api/v3/nothing` has no operation. Add one, or remove it."],
    );
}

#[test]
fn path_and_parameters_agree() {
    refused(
        &[("users.yaml", "/api/v3/users/{userId}:", "/api/v3/users/{id}:")],
        &[
            "openapi/users.yaml:7:5: [parameter] `getUser` has no parameter for `{id}`. Add one with `in: path`.",
            "openapi/users.yaml:15:11: [parameter] The path has no place for the parameter `userId`. Add it, or remove it.",
        ],
    );
    refused(
        &[("users.yaml", "/api/v3/users/{userId}:", "/api/v3/{userId}/{userId}:")],
        &["openapi/users.yaml:6:3: [parameter] The path has `{userId}` twice. Rename one."],
    );
    refused(
        &[("users.yaml", "          required: true\n", "")],
        &["openapi/users.yaml:15:11: [parameter] The path parameter `userId` can be left out. Add `required: true`."],
    );
}

#[test]
fn a_parameter_is_a_scalar_with_a_name_of_its_own() {
    refused(
        &[("users.yaml", "          schema:\n            type: boolean\n", "")],
        &["openapi/users.yaml:22:11: [parameter] The parameter `withRoles` has no `schema`. Add one."],
    );
    refused(
        &[("users.yaml", "type: boolean", "type: object")],
        &[
            "openapi/users.yaml:24:11: [parameter] The parameter `withRoles` is neither a scalar nor an array. Make it one, or write `x-any: true`, which takes nested values.",
        ],
    );
    refused(
        &[("users.yaml", "            type: boolean", "            $ref: '#/components/schemas/UserDto'")],
        &[
            "openapi/users.yaml:24:11: [parameter] The parameter `withRoles` is neither a scalar nor an array. Make it one, or write `x-any: true`, which takes nested values.",
        ],
    );
    refused(
        &[(
            "users.yaml",
            "            type: string\n          example: u1",
            "            type: array\n            items:\n              type: string\n          example: [u1]",
        )],
        &[
            "openapi/users.yaml:19:11: [parameter] The parameter `userId` is not a scalar. Make it a string, integer, number or boolean: nothing else has a place in a path.",
        ],
    );
    refused(&[("users.yaml", "type: boolean", "x-any: true")], &[]);
    refused(
        &[("users.yaml", "name: withRoles", "name: user_id")],
        &["openapi/users.yaml:22:11: [parameter] The parameters `userId` and `user_id` get the same name. Rename one."],
    );
}
