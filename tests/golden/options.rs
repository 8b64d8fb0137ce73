//! The options of the folder `custom`, for its build and for its golden files.

use twyla_build::Builder;

pub(crate) fn custom(builder: Builder) -> Builder {
    builder
        .replace("shared/money.json", "crate::own::Money")
        .replace("events/shop/charged.json#/$defs/id", "crate::own::Id")
        .replace_format("decimal", "crate::own::Decimal")
        .with_crate("twyla-golden", "0.1.0")
        .derive("shop::OrderPlacedColor", ["Default", "Eq"])
        .attribute("shop::OrderPlacedColor.Green", "#[default]")
        .derive("shop::*", ["Hash", "serde::Serialize"])
        .derive("shop::SeatedHowMuch", ["PartialOrd"])
        .derive("*", ["Default", "Eq"])
        .attribute("shop::Moved", "#[must_use]")
        .attribute("shop::Moved.id", "#[doc = \"Never reused.\"]")
}
