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
    // recursion
    (r##"{ "type": "object", "properties": { "next": { "$ref": "#" }, "v": { "type": "boolean" } } }"##, r##"{ "type": "object", "properties": { "next": { "$ref": "#" }, "v": {}, "w": false } }"##, true),
    (r##"{ "type": "object", "properties": { "next": { "$ref": "#" }, "v": { "type": ["boolean", "null"] } } }"##, r##"{ "type": "object", "properties": { "next": { "$ref": "#" }, "v": { "type": "boolean" } } }"##, false),
    // combinations
    (r#"{ "allOf": [{ "type": "object", "properties": { "a": { "type": "string" } } }, { "properties": { "b": { "type": "string" } }, "required": ["b"] }] }"#, r#"{ "type": "object", "required": ["b"], "properties": { "a": {}, "b": {}, "c": false } }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "type": "string" } }, "if": { "required": ["a"] }, "then": { "required": ["b"], "properties": { "b": { "type": "null" } } } }"#, r#"{ "type": "object", "dependentRequired": { "a": ["b"] } }"#, true),
]
