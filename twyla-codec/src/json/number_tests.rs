//! Tests of the numbers that are read and written.

use proptest::prelude::*;

use super::{Fault, Read, Reader, from_str, from_str_exactly};
use crate::received::{Notation, Received};

fn read<T: Read>(text: &str) -> Result<T, String> {
    from_str::<T>(text).map_err(|fault| fault.into_violation().message)
}

#[test]
fn integers_may_be_written_with_a_point() {
    for (text, value) in [
        ("0", 0),
        ("-0", 0),
        ("1.0", 1),
        ("-2e3", -2000),
        ("120e-1", 12),
        ("1.50E1", 15),
        ("0.0e99999999999999999999", 0),
        ("0e-99999999999999999999", 0),
        ("9223372036854775807", i64::MAX),
        ("9223372036854775807.000", i64::MAX),
        ("922337203685477580.7e1", i64::MAX),
        ("-9223372036854775808", i64::MIN),
        ("-9.223372036854775808e18", i64::MIN),
    ] {
        assert_eq!(read::<i64>(text), Ok(value), "{text}");
    }
    assert_eq!(read::<u64>("18446744073709551615"), Ok(u64::MAX));
    assert_eq!((read::<u8>("255"), read::<u8>("2.55e2")), (Ok(255), Ok(255)));
    assert_eq!((read::<i8>("-128"), read::<i32>("-2147483648"), read::<i16>("-0")), (Ok(-128), Ok(i32::MIN), Ok(0)));
    assert_eq!(read::<u8>("256"), Err("256 is more than 255".to_owned()));
    assert_eq!(read::<u16>("-1"), Err("-1 is less than 0".to_owned()));
    assert_eq!(read::<i8>("-129"), Err("-129 is less than -128".to_owned()));
    assert_eq!(read::<u32>("1.5"), Err("expected an integer, found the number `1.5`".to_owned()));
    assert_eq!(read::<u64>("1844674407370955161.5e+1"), Ok(u64::MAX));
    assert_eq!(read::<u64>("-0.0"), Ok(0));
}

#[test]
fn rejects_numbers_that_are_not_integers_with_their_digits() {
    for (text, said) in [
        ("1.5", "expected an integer, found the number `1.5`"),
        ("1e-1", "expected an integer, found the number `1e-1`"),
        ("9007199254740992.5", "expected an integer, found the number `9007199254740992.5`"),
        ("1e-99999999999999999999", "expected an integer, found the number `1e-99999999999999999999`"),
        ("9223372036854775808", "9223372036854775808 is not an integer that fits in 64 bits"),
        ("-9223372036854775809", "-9223372036854775809 is not an integer that fits in 64 bits"),
        ("99999999999999999999", "99999999999999999999 is not an integer that fits in 64 bits"),
        ("1e19", "10000000000000000000 is not an integer that fits in 64 bits"),
        ("1e400", "1e400 is not an integer that fits in 64 bits"),
        ("1e99999999999999999999", "1e99999999999999999999 is not an integer that fits in 64 bits"),
        ("\"1\"", "expected an integer, found the string \"1\""),
        ("null", "expected an integer, found null"),
    ] {
        assert_eq!(read::<i64>(text).unwrap_err(), said, "{text}");
    }
    for (text, said) in [
        ("-1", "-1 is less than 0"),
        ("-1.0", "-1 is less than 0"),
        ("-1e30", "-1000000000000000000000000000000 is less than 0"),
        ("18446744073709551616", "18446744073709551616 is not an integer that fits in 64 bits"),
        ("1e300", "1e300 is not an integer that fits in 64 bits"),
    ] {
        assert_eq!(read::<u64>(text).unwrap_err(), said, "{text}");
    }
    assert!(read::<i64>(&format!("1{}", "0".repeat(1_000_000))).is_err_and(|said| said.len() < 200));
    assert!(read::<i64>(&format!("0.{}1", "0".repeat(1_000_000))).is_err_and(|said| said.len() < 200));
}

#[test]
fn no_digit_of_an_integer_is_lost() {
    use serde_json::Value;
    for kept in ["9007199254740992", "9007199254740994", "1152921504606847000", "100000000000000000000", "1e22", "0.1"]
    {
        assert_eq!(read::<f64>(kept), Ok(kept.parse().unwrap()), "{kept}");
    }
    assert!(read::<Value>("100000000000000000000000").is_ok());
    assert!(read::<Value>("1208925819614629174706176").is_ok());
    assert!(read::<Value>("9007199254740993").is_ok_and(|value| value.as_u64() == Some(9_007_199_254_740_993)));
    for lost in ["9007199254740993", "-9007199254740993", "18446744073709551617"] {
        let said = read::<f64>(lost).unwrap_err();
        assert_eq!(said, format!("{lost} is an integer with more digits than can be kept"));
    }
    assert!(read::<Value>("18446744073709551617").is_err());
    for lost in ["1.8446744073709551617e19", "9007199254740993.0", "9007199254740993.5", "-90071992547409930e-1"] {
        for text in [format!("[{lost}]"), format!("[0,{lost},9007199254740993.1]")] {
            let said = from_str_exactly::<Vec<f64>>(&text).unwrap_err().into_violation().message;
            assert_eq!(said, format!("{lost} has more digits than can be kept"));
            let place = |fault: Fault| fault.into_violation().pointer;
            let index = text.matches(',').count().min(1);
            assert_eq!(from_str_exactly::<Vec<f64>>(&text).map_err(place).unwrap_err(), format!("/{index}"));
            assert_eq!(from_str_exactly::<Value>(&text).map_err(place).unwrap_err(), format!("/{index}"));
        }
    }
    for kept in [
        "1.8446744073709551616e19",
        "18446744073709552.000e3",
        "9007199254740994.0",
        "0.12345678901234567890123",
        "9007199254740991.12345",
        "9.727837981879871e26",
    ] {
        assert_eq!(from_str_exactly::<f64>(kept).ok().map(|(value, _)| value), kept.parse().ok(), "{kept}");
        assert!(from_str_exactly::<Value>(kept).is_ok(), "{kept}");
    }
    assert!(read::<Value>("-18446744073709551617").is_err());
    for far in ["1e400", "-1e400", &"9".repeat(400)] {
        assert!(read::<Value>(far).is_err_and(|said| said.contains("out of the range of numbers")), "{far}");
        assert!(read::<f64>(far).is_err());
    }
    assert!(read::<f64>("-0").is_ok_and(|value| value == 0.0 && value.is_sign_negative()));
    assert!(read::<f64>("-0.0").is_ok_and(|value| value == 0.0 && value.is_sign_negative()));
    assert_eq!(read::<f64>("1e-400"), Ok(0.0));
}

#[test]
fn the_notation_of_a_large_number_is_kept_if_it_is_written_otherwise() {
    use serde_json::Value;
    for (text, field, value) in [
        ("[1,0.1,1e22,9007199254740992,9007199254740994.0]", false, false),
        ("[1152921504606846976]", false, false),
        ("[1152921504606846976.0]", false, true),
        ("[1.152921504606847e18]", true, false),
        ("[1152921504606847000,-1152921504606846976]", true, false),
        ("[18446744073709551616]", true, true),
        ("[18446744073709552000]", false, false),
        ("[18446744073709552000,18446744073709551616]", true, true),
        ("[-1.8446744073709551616e19]", true, true),
    ] {
        let read = from_str_exactly::<Vec<f64>>(text).map(|(_, received)| received.is_some());
        assert_eq!(read.ok(), Some(field), "{text}");
        let read = from_str_exactly::<Value>(text).map(|(_, received)| received.is_some());
        assert_eq!(read.ok(), Some(value), "{text}");
    }
}

#[test]
fn large_numbers_are_found_at_their_places() {
    let text = r#"{"b":[0,{"a":-18446744073709551616,"c":1e400}],"a":1.8446744073709552e19,"d":1e22}"#;
    let received = Reader::new(text).received().ok().flatten().unwrap();
    let in_list = received.member("b").and_then(|list| list.item(1)).unwrap();
    assert_eq!(in_list.member("a").and_then(Received::notation), Some(Notation::All));
    assert_eq!(received.member("a").and_then(Received::notation), Some(Notation::Shortest));
    assert_eq!((in_list.member("c"), received.member("d"), in_list.item(0)), (None, None, None));
}

#[test]
fn a_whole_float_is_written_as_an_integer() {
    for (read_from, written) in [
        ("100", "100"),
        ("100.0", "100"),
        ("1e2", "100"),
        ("-7", "-7"),
        ("0", "0"),
        ("-0", "-0.0"),
        ("-0.0", "-0.0"),
        ("1.50", "1.5"),
        ("9007199254740992", "9007199254740992"),
        ("1152921504606846976", "1152921504606846976"),
        ("-1152921504606846976", "-1152921504606846976"),
        ("1152921504606847000", "1152921504606846976"),
        ("-9223372036854775808", "-9.223372036854776e+18"),
        ("1e22", "1e+22"),
        ("1e-7", "1e-7"),
    ] {
        let mut out = Vec::new();
        super::Write::write(&read::<f64>(read_from).unwrap(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), written, "{read_from}");
    }
    // a `Value` tells an integer from a float
    for kept in ["100", "100.0", "1152921504606846976"] {
        let mut out = Vec::new();
        super::Write::write(&read::<serde_json::Value>(kept).unwrap(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), kept);
    }
}

#[test]
fn floats_with_as_many_digits_as_are_exact_are_the_nearest() {
    for last in 0..2000 {
        for text in [format!("90071992547{:05}.{}", 40_000 + last / 10, last % 10), format!("-0.9007199254{last:06}")] {
            assert_eq!(read::<f64>(&text), Ok(text.parse().unwrap()), "{text}");
        }
        let text = format!("900719925474{last:03}.{}", last % 10);
        assert_eq!(read::<f64>(&text), Ok(text.parse().unwrap()), "{text}");
    }
}

#[test]
fn rejects_invalid_numbers() {
    for wrong in [
        "-",
        "+1",
        ".5",
        "1.",
        "1.e1",
        "1e",
        "1e+",
        "01",
        "-01",
        "00",
        "0x1",
        "1_0",
        "-.5",
        "1.5.5",
        "1e1e1",
        "1e1.0",
        "--1",
        "NaN",
        "-Infinity",
        "0.0.",
        "01.5",
        "1.5e",
        "",
    ] {
        assert!(serde_json::from_str::<f64>(wrong).is_err());
        assert!(read::<f64>(wrong).is_err(), "{wrong}");
        assert!(read::<i64>(wrong).is_err(), "{wrong}");
        assert!(read::<u64>(wrong).is_err(), "{wrong}");
        assert!(read::<serde_json::Value>(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn integers_are_as_exact_arithmetic_has_them(mantissa in any::<i64>(), cut in 0u32..19, point in 0usize..25, zeros in 0usize..4, exponent in -8i32..8) {
        // the digits of `mantissa`, with a point and an exponent
        let mantissa = mantissa / 10i64.pow(cut);
        let digits = format!("{:0>26}{}", mantissa.unsigned_abs(), "0".repeat(zeros));
        let (whole, fraction) = digits.split_at(26 - point);
        let whole = whole.trim_start_matches('0');
        let sign = if mantissa < 0 { "-" } else { "" };
        let point_and_fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
        let text = format!("{sign}{}{point_and_fraction}e{exponent}", if whole.is_empty() { "0" } else { whole });
        let fraction_digits = i32::try_from(fraction.len()).unwrap();
        let scale = exponent - fraction_digits + i32::try_from(zeros).unwrap() - i32::try_from(zeros).unwrap();
        let full: i128 = digits.parse::<i128>().unwrap() * if mantissa < 0 { -1 } else { 1 };
        let value = if scale >= 0 {
            Some(full.checked_mul(10i128.pow(scale.unsigned_abs())).unwrap_or(i128::MAX))
        } else {
            let power = 10i128.checked_pow(scale.unsigned_abs()).unwrap();
            (full % power == 0).then_some(full / power)
        };
        prop_assert_eq!(read::<i64>(&text).ok(), value.and_then(|value| i64::try_from(value).ok()), "{}", text);
        prop_assert_eq!(read::<u64>(&text).ok(), value.and_then(|value| u64::try_from(value).ok()), "{}", text);
    }

    #[test]
    fn integer_literals_are_as_the_standard_library_has_them(text in "-?(0|[1-9][0-9]{0,22})") {
        let unsigned = if text == "-0" { Ok(0) } else { text.parse::<u64>() };
        prop_assert_eq!(read::<i64>(&text).ok(), text.parse::<i64>().ok());
        prop_assert_eq!(read::<u64>(&text).ok(), unsigned.ok());
    }

    #[test]
    fn floats_are_the_nearest(text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20}|\\.[0-9]{0,3}[05]{0,3}|)([eE][+-]?[0-9]{1,3})?") {
        let serdes = serde_json::from_str::<f64>(&text);
        match read::<f64>(&text) {
            Ok(value) => {
                prop_assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits());
            }
            Err(said) if said.contains("more digits") => prop_assert!(!text.contains(['.', 'e', 'E']) && text.len() > 15),
            Err(_) => prop_assert!(serdes.is_err(), "{text}"),
        }
    }

    #[test]
    fn floats_come_back_as_they_were(value in any::<f64>()) {
        let mut out = Vec::new();
        super::Write::write(&value, &mut out);
        let is_integer = value.fract() == 0.0 && value.abs() < 9.2e18 && value.to_bits() != (-0.0_f64).to_bits();
        prop_assert!(is_integer || out == serde_json::to_vec(&value).unwrap());
        if value.is_finite() {
            let text = String::from_utf8(out).unwrap();
            prop_assert!(!is_integer || text.parse::<i64>().is_ok(), "{}", text);
            prop_assert_eq!(read::<f64>(&text).unwrap().to_bits(), value.to_bits());
        }
    }
}
