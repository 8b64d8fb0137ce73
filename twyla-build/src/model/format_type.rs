//! The Rust types of formats.

/// A Rust type for a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormatType {
    Date,
    DateTime,
    Uuid,
    Ipv4,
    Ipv6,
}

impl FormatType {
    /// Returns the type of a variant of the runtime's `Format`; `None` if it has none.
    pub(crate) fn of(variant: &str) -> Option<Self> {
        [Self::Date, Self::DateTime, Self::Uuid, Self::Ipv4, Self::Ipv6]
            .into_iter()
            .find(|real| real.variant() == variant)
    }

    /// Returns the name of the variant in the runtime.
    pub(super) fn variant(self) -> &'static str {
        match self {
            Self::Date => "Date",
            Self::DateTime => "DateTime",
            Self::Uuid => "Uuid",
            Self::Ipv4 => "Ipv4",
            Self::Ipv6 => "Ipv6",
        }
    }

    /// Returns the format's name in JSON Schema.
    pub(crate) fn format(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::DateTime => "date-time",
            Self::Uuid => "uuid",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }

    /// Returns the minimum length of its texts, and the maximum if there is one. A text is written in its canonical form.
    pub(super) fn lengths(self) -> (u64, Option<u64>) {
        match self {
            Self::Date => (10, Some(10)),
            // `2024-01-01T00:00:00Z`; a fraction may have any number of digits
            Self::DateTime => (20, None),
            Self::Uuid => (36, Some(36)),
            Self::Ipv4 => (7, Some(15)),
            // the shortest is `::`, the longest has six groups of four digits and an IPv4 address
            Self::Ipv6 => (2, Some(45)),
        }
    }

    /// Returns the path of the type, for messages and docs.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Date => "::chrono::NaiveDate",
            Self::DateTime => "::twyla_runtime::DateTime",
            Self::Uuid => "::uuid::Uuid",
            Self::Ipv4 => "::std::net::Ipv4Addr",
            Self::Ipv6 => "::std::net::Ipv6Addr",
        }
    }
}
