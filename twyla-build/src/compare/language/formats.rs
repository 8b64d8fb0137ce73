//! Formats as languages: each format has a superset and a subset, which are equal if the language is exact.

/// The languages around a format. The expressions are anchored, in the syntax of the `regex` crate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// A superset: every text of the format matches it.
    pub(crate) outer: Option<&'static str>,
    /// A subset: every text that matches it has the format.
    pub(crate) inner: Option<&'static str>,
    /// Some texts of the format, readable ones first.
    pub(crate) samples: &'static [&'static str],
    /// The formats that include this one: each text of the format is also a text of these.
    pub(crate) within: &'static [&'static str],
}

macro_rules! date {
    () => {
        concat!(
            r"(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)",
            r"|02-(?:0[1-9]|1[0-9]|2[0-8]))",
            r"|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
        )
    };
}

macro_rules! time {
    ($second:literal) => {
        concat!(
            "(?:[01][0-9]|2[0-3]):[0-5][0-9]:",
            $second,
            r"(?:\.[0-9]+)?(?:[zZ]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
        )
    };
}

macro_rules! pointer {
    () => {
        r"(?:/(?:[^~]|~[01])*)?"
    };
}

macro_rules! clock {
    () => {
        "(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)"
    };
}

macro_rules! label {
    () => {
        "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    };
}

const DATE: &str = concat!("^", date!(), "$");
const DURATION: &str = concat!(
    "^P(?:[0-9]+W|(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)(?:T",
    clock!(),
    ")?|T",
    clock!(),
    ")$"
);
const IPV4: &str = concat!(
    r"^(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])",
    r"(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}$"
);
const UUID: &str = "^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$";
const POINTER: &str = concat!("(?s)^", pointer!(), "$");
const RELATIVE: &str = concat!("(?s)^(?:0|[1-9][0-9]*)(?:#|", pointer!(), ")$");
const HOSTNAME: &str = concat!("^", label!(), r"(?:\.", label!(), ")*$");
/// A subset of the host names: short enough for the limit of the whole name, and without hyphens, which IDNA restricts.
const SHORT_HOSTNAME: &str = r"^[A-Za-z0-9]{1,60}(?:\.[A-Za-z0-9]{1,60}){0,3}$";
const MAIL: &str = "^[ -~]+@[ -~]+$";
const SHORT_MAIL: &str = r"^[a-zA-Z0-9]{1,20}@[a-z0-9]{1,20}(?:\.[a-z]{1,20}){0,2}$";
const WEB: &str = r"^[a-z][a-z0-9]*:(?://[a-z0-9]+(?:\.[a-z0-9]+)*)?(?:/[a-zA-Z0-9_-]+)*$";
const PATH: &str = r"^[a-zA-Z0-9_-]*(?:/[a-zA-Z0-9_-]+)*$";

/// Returns the languages of a format, by its name in the runtime.
pub(crate) fn bounds(variant: &str) -> Bounds {
    let exact = |both, samples| Bounds { outer: Some(both), inner: Some(both), samples, within: &[] };
    match variant {
        "Date" => exact(DATE, &["2024-01-01", "2024-02-29"]),
        "Time" => Bounds {
            outer: Some(concat!("^", time!("(?:[0-5][0-9]|60)"), "$")),
            inner: Some(concat!("^", time!("[0-5][0-9]"), "$")),
            samples: &["00:00:00Z", "12:30:00+01:00", "23:59:60Z"],
            within: &[],
        },
        "DateTime" => Bounds {
            outer: Some(concat!("^", date!(), "[Tt]", time!("(?:[0-5][0-9]|60)"), "$")),
            inner: Some(concat!("^", date!(), "[Tt]", time!("[0-5][0-9]"), "$")),
            samples: &["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000001+00:00", "2016-12-31T23:59:60Z"],
            within: &[],
        },
        "Duration" => exact(DURATION, &["P1D", "PT1S", "P1Y2M3DT4H5M6S", "P2W"]),
        "Ipv4" => Bounds { within: &["Hostname", "PlainHostname"], ..exact(IPV4, &["127.0.0.1"]) },
        "Ipv6" => Bounds {
            outer: Some(r"^[0-9A-Fa-f:.]{2,45}$"),
            inner: Some("^(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$"),
            samples: &["::1", "2001:db8:0:0:0:0:0:1"],
            within: &[],
        },
        "Uuid" => exact(UUID, &["00000000-0000-0000-0000-000000000000", "67e55044-10b1-426f-9247-bb680e5fe0c8"]),
        "JsonPointer" => exact(POINTER, &["", "/a"]),
        "RelativeJsonPointer" => exact(RELATIVE, &["0", "1/a", "0#"]),
        "PlainHostname" => {
            Bounds { outer: Some(HOSTNAME), inner: Some(SHORT_HOSTNAME), samples: &["a", "example.com"], within: &[] }
        }
        "Hostname" => Bounds {
            outer: Some(HOSTNAME),
            inner: Some(SHORT_HOSTNAME),
            samples: &["a", "example.com"],
            within: &["PlainHostname"],
        },
        "IdnHostname" => {
            Bounds { outer: None, inner: Some(SHORT_HOSTNAME), samples: &["a", "example.com"], within: &[] }
        }
        "Email" => Bounds {
            outer: Some(MAIL),
            inner: Some(SHORT_MAIL),
            samples: &["a@b", "a@example.com"],
            within: &["IdnEmail"],
        },
        "IdnEmail" => Bounds { outer: Some("(?s)^.+@.+$"), inner: Some(SHORT_MAIL), samples: &["a@b"], within: &[] },
        "Uri" => Bounds {
            outer: Some(r"^[A-Za-z][A-Za-z0-9+.-]*:[!-~]*$"),
            inner: Some(WEB),
            samples: &["a:", "https://example.com/a"],
            within: &["UriReference", "Iri", "IriReference"],
        },
        "UriReference" => Bounds {
            outer: Some("^[!-~]*$"),
            inner: Some(PATH),
            samples: &["", "a", "/a", "https://example.com/a"],
            within: &["IriReference"],
        },
        "Iri" => Bounds {
            outer: Some(r"(?s)^[A-Za-z][A-Za-z0-9+.-]*:.*$"),
            inner: Some(WEB),
            samples: &["a:", "https://example.com/ü"],
            within: &["IriReference"],
        },
        "IriReference" => Bounds { outer: None, inner: Some(PATH), samples: &["", "a", "/ü"], within: &[] },
        "UriTemplate" => Bounds { outer: None, inner: Some(PATH), samples: &["", "a", "/{a}"], within: &[] },
        "Regex" => Bounds { outer: None, inner: Some("^[a-z0-9]*$"), samples: &["", "a", "^a*$"], within: &[] },
        _ => Bounds { outer: None, inner: None, samples: &[], within: &[] },
    }
}
