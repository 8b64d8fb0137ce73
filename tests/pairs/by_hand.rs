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
    // recursion
    (r##"{ "type": "object", "properties": { "next": { "$ref": "#" }, "v": { "type": "boolean" } } }"##, r##"{ "type": "object", "properties": { "next": { "$ref": "#" }, "v": {}, "w": false } }"##, true),
    (r##"{ "type": "object", "properties": { "next": { "$ref": "#" }, "v": { "type": ["boolean", "null"] } } }"##, r##"{ "type": "object", "properties": { "next": { "$ref": "#" }, "v": { "type": "boolean" } } }"##, false),
    // combinations
    (r#"{ "allOf": [{ "type": "object", "properties": { "a": { "type": "string" } } }, { "properties": { "b": { "type": "string" } }, "required": ["b"] }] }"#, r#"{ "type": "object", "required": ["b"], "properties": { "a": {}, "b": {}, "c": false } }"#, true),
    (r#"{ "type": "object", "properties": { "a": { "type": "string" } }, "if": { "required": ["a"] }, "then": { "required": ["b"], "properties": { "b": { "type": "null" } } } }"#, r#"{ "type": "object", "dependentRequired": { "a": ["b"] } }"#, true),
]
