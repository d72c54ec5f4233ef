//! What a word of YAML stands for, by the rules of the YAML 1.1 reader that Helm uses: `no` is false, `010` is 8.

use serde_json::{Number, Value};

/// What a scalar without quotes and without a tag stands for; `None` for what cannot be written in JSON.
pub fn resolved(word: &str) -> Option<Value> {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Some(Value::Bool(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Some(Value::Bool(false));
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf"
        | "-.INF" => return None,
        _ => {}
    }
    let number = match word.bytes().next() {
        Some(b'0'..=b'9' | b'+' | b'-') => number(&word.replace('_', "")),
        Some(b'.') => float(word),
        _ => None,
    };
    Some(number.map_or_else(|| Value::String(word.to_owned()), Value::Number))
}

fn number(word: &str) -> Option<Number> {
    integer(word).or_else(|| float(word))
}

/// With the prefixes of Go: `0x`, `0o`, `0b`, and a mere `0` for octal digits.
fn integer(word: &str) -> Option<Number> {
    let (is_negative, digits) = match word.as_bytes().first() {
        Some(b'-') => (true, &word[1..]),
        Some(b'+') => (false, &word[1..]),
        _ => (false, word),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // A second sign is none of Go's.
    if !digits.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if is_negative {
        0_i64.checked_sub_unsigned(magnitude).map(Number::from)
    } else if word.starts_with('+') {
        // An unsigned number of more than 63 bits has no sign.
        i64::try_from(magnitude).ok().map(Number::from)
    } else {
        Some(Number::from(magnitude))
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, if it is a number of 64 bits.
fn float(word: &str) -> Option<Number> {
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    let (mantissa, exponent) = unsigned
        .split_once(['e', 'E'])
        .map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && all_digits(fraction),
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    let is_exponent = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    if !is_mantissa || !is_exponent {
        return None;
    }
    let value: f64 = word.parse().ok()?;
    whole(value).or_else(|| Number::from_f64(value))
}

/// Helm hands numbers on as JSON, where `8.0` is `8`.
fn whole(value: f64) -> Option<Number> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if value.fract() != 0.0 || value.abs() > EXACT_MAX {
        return None;
    }
    format!("{value:.0}").parse::<i64>().ok().map(Number::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_stand_for_what_helm_makes_of_them() {
        for (word, value) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("no", json!(false)),
            ("n", json!(false)),
            ("Off", json!(false)),
            ("YES", json!(true)),
            ("nO", json!("nO")),
            ("010", json!(8)),
            ("-010", json!(-8)),
            ("08", json!(8)),
            ("0o17", json!(15)),
            ("0x1F", json!(31)),
            ("0b101", json!(5)),
            ("0xZ", json!("0xZ")),
            ("1_000", json!(1000)),
            ("+12", json!(12)),
            ("--1", json!("--1")),
            ("-", json!("-")),
            ("0", json!(0)),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("1.5", json!(1.5)),
            ("1.", json!(1)),
            (".5", json!(0.5)),
            ("1e3", json!(1000)),
            ("1e", json!("1e")),
            ("1e999", json!("1e999")),
            ("1.2.3", json!("1.2.3")),
            ("12:30:45", json!("12:30:45")),
            ("2001-12-14", json!("2001-12-14")),
            ("0.5.1", json!("0.5.1")),
            ("inf", json!("inf")),
            ("redis", json!("redis")),
        ] {
            assert_eq!(resolved(word), Some(value), "{word:?}");
        }
        assert_eq!(resolved(".inf"), None);
        assert_eq!(resolved("-.INF"), None);
    }
}
