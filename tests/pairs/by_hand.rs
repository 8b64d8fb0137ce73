// Handwritten pairs of contents, each with the comparison's verdict on the first in the second: `true` if it fits. Read
// by the build script and by the test.
&[
    // undeclared members
    (r#"{ "type": "object", "properties": { "a": { "type": "string" } } }"#, r#"{ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "integer" } }, "additionalProperties": false }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "type": "string" } } }"#, r#"{ "type": "object", "additionalProperties": false }"#, false),
    (r#"{ "type": "object", "properties": { "a": { "type": "string" } }, "additionalProperties": { "type": "integer" } }"#, r#"{ "type": "object", "properties": { "b": { "type": "string" } } }"#, false),
    (r#"{ "type": "object", "properties": { "a": {} }, "propertyNames": { "maxLength": 3 } }"#, r#"{ "type": "object", "properties": { "bb": { "type": "string" } } }"#, false),
    (r#"{ "type": "object", "additionalProperties": { "type": "string" } }"#, r#"{ "type": "object", "additionalProperties": { "type": ["string", "null"] } }"#, true),
    // nested
    (r#"{ "type": "object", "properties": { "a": { "type": "object", "properties": { "x": { "type": "null" } } } } }"#, r#"{ "type": "object", "properties": { "a": { "properties": { "x": {}, "y": false } } } }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "properties": { "x": { "type": "null" } } } } }"#, r#"{ "type": "object", "properties": { "a": { "properties": { "x": {}, "y": false } } } }"#, false),
    (r#"{ "type": "object", "properties": { "a": { "type": "array", "items": { "type": "object", "properties": { "x": {} } } } } }"#, r#"{ "type": "object", "properties": { "a": { "items": { "additionalProperties": false, "properties": { "x": {}, "z": {} } } } } }"#, true),
    // defaults and null
    (r#"{ "type": "object", "properties": { "a": { "type": "string", "default": "x" } } }"#, r#"{ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] }"#, false),
    (r#"{ "type": "object", "properties": { "a": { "type": "string" } } }"#, r#"{ "type": "object", "properties": { "a": { "type": "string", "default": "x" } } }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "type": ["string", "null"] } } }"#, r#"{ "type": "object", "properties": { "a": { "type": "string" } } }"#, false),
    (r#"{ "type": "object", "properties": { "a": { "anyOf": [{ "type": "integer" }, { "type": "null" }] } } }"#, r#"{ "type": "object", "properties": { "a": { "type": ["null", "integer"] } } }"#, true),
    // integer and number ranges
    (r#"{ "type": "object", "properties": { "n": { "type": "integer", "minimum": 0 } } }"#, r#"{ "type": "object", "properties": { "n": { "type": "integer" } } }"#, false),
    (r#"{ "type": "object", "properties": { "n": { "type": "integer", "minimum": 0, "maximum": 100 } } }"#, r#"{ "type": "object", "properties": { "n": { "type": "number" } } }"#, true),
    (r#"{ "type": "object", "properties": { "n": { "type": "integer" } } }"#, r#"{ "type": "object", "properties": { "n": { "type": "number" } } }"#, false),
    (r#"{ "type": "object", "properties": { "n": { "type": "number" } } }"#, r#"{ "type": "object", "properties": { "n": {} } }"#, true),
    (r#"{ "type": "object", "properties": { "n": {} } }"#, r#"{ "type": "object", "properties": { "n": { "type": ["number", "string", "boolean", "null", "array", "object"] } } }"#, true),
    (r#"{ "type": "object", "properties": { "n": { "type": "number", "multipleOf": 1 } } }"#, r#"{ "type": "object", "properties": { "n": { "type": "integer" } } }"#, false),
    (r#"{ "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 } }"#, r#"{ "type": "object", "additionalProperties": { "type": "integer" } }"#, false),
    // formats
    (r#"{ "type": "object", "properties": { "t": { "type": "string", "format": "date-time" } } }"#, r#"{ "type": "object", "properties": { "t": { "type": "string", "minLength": 20 } } }"#, true),
    (r#"{ "type": "object", "properties": { "t": { "type": "string", "format": "date" } } }"#, r#"{ "type": "object", "properties": { "t": { "type": "string", "pattern": "^2" } } }"#, false),
    (r#"{ "type": "object", "properties": { "t": { "type": "string" } } }"#, r#"{ "type": "object", "properties": { "t": { "type": "string", "format": "uuid" } } }"#, false),
    // unions
    (r#"{ "oneOf": [{ "type": "object", "properties": { "k": { "const": "a" } }, "required": ["k"] }, { "type": "object", "properties": { "k": { "const": "b" }, "n": { "type": "boolean" } }, "required": ["k"] }] }"#, r#"{ "type": "object", "properties": { "k": { "enum": ["a", "b", "c"] }, "n": { "type": "boolean" }, "m": false } }"#, true),
    (r#"{ "oneOf": [{ "type": "object", "properties": { "k": { "const": "a" } }, "required": ["k"] }, { "type": "object", "properties": { "k": { "const": "b" } }, "required": ["k"] }] }"#, r#"{ "oneOf": [{ "type": "object", "properties": { "k": { "const": "a" } }, "required": ["k"] }, { "type": "object", "properties": { "k": { "const": "c" } }, "required": ["k"] }] }"#, false),
    // unions by JSON type
    (r#"{ "type": "object", "properties": { "a": { "type": ["string", "integer"] } } }"#, r#"{ "type": "object", "properties": { "a": { "anyOf": [{ "type": "integer" }, { "type": "string" }, { "type": "boolean" }] } } }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "type": ["string", "integer", "null"] } } }"#, r#"{ "type": "object", "properties": { "a": { "type": ["string", "integer"] } } }"#, false),
    (r#"{ "type": "object", "properties": { "a": { "type": "integer", "minimum": 0 } } }"#, r#"{ "type": "object", "properties": { "a": { "type": ["integer", "boolean"] } } }"#, false),
    (r#"{ "type": "object", "properties": { "a": { "type": ["number", "string"] } } }"#, r#"{ "type": "object", "properties": { "a": {} } }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "oneOf": [{ "type": "string" }, { "type": "object", "properties": { "x": { "type": "boolean" } } }] } } }"#, r#"{ "type": "object", "properties": { "a": { "oneOf": [{ "type": "string" }, { "type": "object", "properties": { "x": {}, "y": false } }] } } }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] } } }"#, r#"{ "type": "object", "properties": { "a": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "maxItems": 3 }] } } }"#, false),
    (r#"{ "type": "object", "properties": { "a": { "enum": ["x", 1, true] } } }"#, r#"{ "type": "object", "properties": { "a": { "type": ["string", "integer", "boolean"] } } }"#, true),
    // unions by a member's value
    (r#"{ "oneOf": [{ "type": "object", "properties": { "k": { "const": 1 } }, "required": ["k"] }, { "type": "object", "properties": { "k": { "const": 2 }, "n": { "type": "boolean" } }, "required": ["k"] }] }"#, r#"{ "type": "object", "properties": { "k": { "enum": [1, 2, 3] }, "n": { "type": "boolean" }, "m": false } }"#, true),
    (r#"{ "oneOf": [{ "type": "object", "properties": { "k": { "type": "string" }, "n": { "type": "boolean" } }, "required": ["k"] }, { "type": "object", "properties": { "k": { "type": "boolean" } }, "required": ["k"] }] }"#, r#"{ "type": "object", "if": { "properties": { "k": { "type": "boolean" } }, "required": ["k"] }, "then": { "properties": { "n": false } } }"#, true),
    (r##"{ "$defs": { "a": { "type": "object", "properties": { "k": { "const": "a" } }, "required": ["k"] } }, "oneOf": [{ "type": "object", "$ref": "#/$defs/a" }, { "allOf": [{ "type": "object", "required": ["k"] }, { "properties": { "k": { "const": "b" }, "n": { "type": "boolean" } } }] }] }"##, r#"{ "type": "object", "properties": { "k": { "enum": ["a", "b"] }, "n": { "type": "boolean" }, "m": false } }"#, true),
    // unions by a member of their own
    (r#"{ "oneOf": [{ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"], "additionalProperties": false }, { "type": "object", "properties": { "b": { "type": "boolean" } }, "required": ["b"], "additionalProperties": false }] }"#, r#"{ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "boolean" } }, "maxProperties": 1, "minProperties": 1 }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "boolean" } }, "maxProperties": 1 }"#, r#"{ "oneOf": [{ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"], "additionalProperties": false }, { "type": "object", "properties": { "b": { "type": "boolean" } }, "required": ["b"], "additionalProperties": false }] }"#, false),
    (r#"{ "oneOf": [{ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"], "additionalProperties": false }, { "type": "object", "properties": { "b": { "type": "boolean" } }, "additionalProperties": false }] }"#, r#"{ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "boolean" } }, "maxProperties": 1 }"#, true),
    // alternatives that nothing distinguishes
    (r#"{ "type": "object", "anyOf": [{ "properties": { "a": { "type": "string" }, "b": {} }, "required": ["a", "b"] }, { "properties": { "a": { "type": "string" }, "c": {} }, "required": ["a", "c"] }] }"#, r#"{ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "oneOf": [{ "const": "x" }, { "const": "y" }] } } }"#, r#"{ "type": "object", "properties": { "a": { "enum": ["x"] } } }"#, false),
    // null that is read as absence, and never written
    (r#"{ "type": "object", "properties": { "a": { "type": ["string", "null"], "x-null-is-absent": true } } }"#, r#"{ "type": "object", "properties": { "a": { "type": "string" } } }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "type": ["string", "null"] } } }"#, r#"{ "type": "object", "properties": { "a": { "type": ["string", "null"], "x-null-is-absent": true } } }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "type": ["string", "null"], "x-null-is-absent": true } }, "required": ["a"] }"#, r#"{ "type": "object", "properties": { "a": { "type": "string" } } }"#, false),
    // null, and absent
    (r#"{ "type": "object", "properties": { "a": { "type": ["string", "null"] } } }"#, r#"{ "type": "object", "properties": { "a": { "type": ["string", "null"] } }, "required": ["a"] }"#, false),
    (r#"{ "type": "object", "properties": { "a": { "anyOf": [{ "type": "string" }, { "type": "integer" }, { "type": "null" }] } } }"#, r#"{ "type": "object", "properties": { "a": { "type": ["string", "integer", "null"] } } }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "oneOf": [{ "type": "null" }, { "type": "array", "items": { "type": ["boolean", "null"] } }] } } }"#, r#"{ "type": "object", "properties": { "a": { "type": ["array", "null"], "items": { "type": "boolean" } } } }"#, false),
    // types that replace generated ones: the schema decides what is sent and read
    (r#"{ "type": "object", "properties": { "a": { "type": "object", "properties": { "x": { "type": "boolean" } }, "x-rust-type": { "crate": "serde_json", "version": "1", "path": "serde_json::Value" } } } }"#, r#"{ "type": "object", "properties": { "a": { "properties": { "x": {}, "y": false } } } }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "type": "string", "maxLength": 3, "x-rust-type": { "crate": "serde_json", "version": "1", "path": "serde_json::Value" } } } }"#, r#"{ "type": "object", "properties": { "a": { "type": "string", "maxLength": 2, "x-rust-type": { "crate": "serde_json", "version": "1", "path": "serde_json::Value" } } } }"#, false),
    (r#"{ "type": "object", "properties": { "a": { "type": "integer", "minimum": 0 } } }"#, r#"{ "type": "object", "properties": { "a": { "type": "integer", "minimum": 0, "x-rust-type": { "crate": "serde_json", "version": "1", "path": "serde_json::Value" } } } }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "anyOf": [{ "type": "object", "properties": { "x": { "type": "boolean" } }, "x-rust-type": { "crate": "serde_json", "version": "1", "path": "serde_json::Value" } }, { "type": "null" }] } } }"#, r#"{ "type": "object", "properties": { "a": { "type": ["object", "null"], "properties": { "x": {}, "y": false } } } }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "oneOf": [{ "type": "string", "x-rust-type": { "crate": "std", "version": "*", "path": "std::string::String" } }, { "type": "array", "items": { "type": "integer", "x-rust-type": { "crate": "serde_json", "version": "1", "path": "serde_json::Value" } } }] } } }"#, r#"{ "type": "object", "properties": { "a": { "type": ["string", "array"], "items": { "type": "number" } } } }"#, false),
    (r#"{ "oneOf": [{ "type": "object", "properties": { "k": { "const": "a" } }, "required": ["k"] }, { "type": "object", "properties": { "k": { "const": "b" }, "n": { "type": "boolean", "x-rust-type": { "crate": "serde_json", "version": "1", "path": "serde_json::Value" } } }, "required": ["k"] }] }"#, r#"{ "type": "object", "properties": { "k": { "enum": ["a", "b"] }, "n": { "type": "boolean" }, "m": false } }"#, true),
    // recursion
    (r##"{ "type": "object", "properties": { "next": { "$ref": "#" }, "v": { "type": "boolean" } } }"##, r##"{ "type": "object", "properties": { "next": { "$ref": "#" }, "v": {}, "w": false } }"##, true),
    (r##"{ "type": "object", "properties": { "next": { "$ref": "#" }, "v": { "type": ["boolean", "null"] } } }"##, r##"{ "type": "object", "properties": { "next": { "$ref": "#" }, "v": { "type": "boolean" } } }"##, false),
    // combinations
    (r#"{ "allOf": [{ "type": "object", "properties": { "a": { "type": "string" } } }, { "properties": { "b": { "type": "string" } }, "required": ["b"] }] }"#, r#"{ "type": "object", "required": ["b"], "properties": { "a": {}, "b": {}, "c": false } }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "type": "string" } }, "if": { "required": ["a"] }, "then": { "required": ["b"], "properties": { "b": { "type": "null" } } } }"#, r#"{ "type": "object", "dependentRequired": { "a": ["b"] } }"#, true),
]
