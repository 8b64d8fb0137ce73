//! The Rust types of integers: the type of a format or of the bounds, if every value that the schema allows fits.

/// An integer type of Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntegerType {
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
}

impl IntegerType {
    const ALL: [Self; 8] = [Self::I8, Self::I16, Self::I32, Self::I64, Self::U8, Self::U16, Self::U32, Self::U64];

    /// Returns the type for integers within these bounds: the type of the format, else the type with the width of a type
    /// whose least or greatest integer is a bound, else a type of 64 bits. A type of the first two kinds must hold both
    /// bounds.
    pub(super) fn within(minimum: Option<i128>, maximum: Option<i128>, format: Option<&str>) -> Self {
        let plain = if minimum.is_some_and(|minimum| minimum >= 0) { Self::U64 } else { Self::I64 };
        let (Some(minimum), Some(maximum)) = (minimum, maximum) else { return plain };
        let named = Self::ALL.into_iter().filter(|it| Some(it.format()) == format);
        let mut holding = named.filter(|it| it.holds(minimum) && it.holds(maximum));
        let is_limit = |(least, most): (i128, i128)| most == maximum || least == minimum && minimum < 0;
        let limited = Self::ALL.into_iter().filter(|it| is_limit(it.bounds())).map(|it| it.with_sign(minimum < 0));
        let mut limited = limited.filter(|it| it.holds(minimum) && it.holds(maximum));
        holding.next().or_else(|| limited.next()).unwrap_or(plain)
    }

    /// Returns the signed or unsigned type with the same number of bits.
    fn with_sign(self, is_signed: bool) -> Self {
        match (self, is_signed) {
            (Self::I8 | Self::U8, true) => Self::I8,
            (Self::I16 | Self::U16, true) => Self::I16,
            (Self::I32 | Self::U32, true) => Self::I32,
            (Self::I64 | Self::U64, true) => Self::I64,
            (Self::I8 | Self::U8, false) => Self::U8,
            (Self::I16 | Self::U16, false) => Self::U16,
            (Self::I32 | Self::U32, false) => Self::U32,
            (Self::I64 | Self::U64, false) => Self::U64,
        }
    }

    /// Returns the name in Rust.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
        }
    }

    /// Returns the format of the type in OpenAPI and schemars. The format is an annotation: a value outside the type's
    /// bounds is valid.
    fn format(self) -> &'static str {
        match self {
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
        }
    }

    /// Returns the least and the greatest integer of the type.
    pub(crate) fn bounds(self) -> (i128, i128) {
        match self {
            Self::I8 => (i8::MIN.into(), i8::MAX.into()),
            Self::I16 => (i16::MIN.into(), i16::MAX.into()),
            Self::I32 => (i32::MIN.into(), i32::MAX.into()),
            Self::I64 => (i64::MIN.into(), i64::MAX.into()),
            Self::U8 => (0, u8::MAX.into()),
            Self::U16 => (0, u16::MAX.into()),
            Self::U32 => (0, u32::MAX.into()),
            Self::U64 => (0, u64::MAX.into()),
        }
    }

    pub(crate) fn is_unsigned(self) -> bool {
        self.bounds().0 == 0
    }

    pub(crate) fn holds(self, value: i128) -> bool {
        let (least, most) = self.bounds();
        (least..=most).contains(&value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_names_the_type_only_if_the_bounds_prove_it() {
        for (minimum, maximum, format, name) in [
            (Some(0), Some(1_000), Some("uint32"), "u32"),
            (Some(-5), Some(5), Some("int8"), "i8"),
            (Some(0), Some(5), Some("int64"), "i64"),
            (Some(0), None, Some("uint32"), "u64"),
            (None, None, Some("int32"), "i64"),
            (Some(0), Some(256), Some("uint8"), "u64"),
            (Some(-1), Some(5), Some("uint8"), "i64"),
            (Some(0), Some(5), Some("uint"), "u64"),
        ] {
            assert_eq!(
                IntegerType::within(minimum, maximum, format).name(),
                name,
                "{minimum:?} {maximum:?} {format:?}"
            );
        }
    }

    #[test]
    fn a_bound_that_is_the_limit_of_a_type_names_it() {
        for (minimum, maximum, name) in [
            (Some(0), Some(65_535), "u16"),
            (Some(-128), Some(127), "i8"),
            (Some(1), Some(65_535), "u16"),
            (Some(0), Some(2_147_483_647), "u32"),
            (Some(-1), Some(32_767), "i16"),
            (Some(-128), Some(0), "i8"),
            (Some(-1), Some(255), "i64"),
            (Some(-129), Some(127), "i64"),
            (Some(0), Some(100), "u64"),
            (Some(-1), None, "i64"),
            (Some(0), Some(u64::MAX.into()), "u64"),
        ] {
            assert_eq!(IntegerType::within(minimum, maximum, None).name(), name, "{minimum:?} {maximum:?}");
        }
    }
}
