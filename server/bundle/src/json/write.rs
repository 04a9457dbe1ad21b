//! BSON as text, byte for byte as `json_util.dumps` of PyMongo writes it.

use std::io::Write;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bson::{Bson, DateTime, Document};

/// The last moment that is written as a date: the end of the year 9999, in ms since 1970.
const LAST: i64 = 253_402_300_799_999;

/// The text of a value.
pub fn text(value: &Bson) -> String {
    let mut out = Vec::new();
    write(&mut out, value);
    String::from_utf8(out).unwrap_or_default()
}

/// Writes a value behind what is there: `, ` between items, `: ` behind keys, letters beyond ASCII escaped.
pub fn write(out: &mut Vec<u8>, value: &Bson) {
    match value {
        // A pointer was deprecated long before there was FiftyOne, whose driver cannot write it either.
        Bson::Null | Bson::Undefined | Bson::DbPointer(_) => out.extend(b"null"),
        Bson::Boolean(it) => out.extend(if *it { &b"true"[..] } else { b"false" }),
        Bson::Int32(it) => put(out, &it.to_string()),
        Bson::Int64(it) => put(out, &it.to_string()),
        Bson::Double(it) => double(out, *it),
        Bson::String(it) | Bson::Symbol(it) => quoted(out, it),
        Bson::Array(items) => list(out, items),
        Bson::Document(it) => document(out, it),
        Bson::ObjectId(it) => put(out, &format!("{{\"$oid\": \"{it}\"}}")),
        Bson::DateTime(it) => date(out, *it),
        Bson::Binary(it) => {
            let (bytes, subtype) = (STANDARD.encode(&it.bytes), u8::from(it.subtype));
            put(
                out,
                &format!(
                    "{{\"$binary\": {{\"base64\": \"{bytes}\", \"subType\": \"{subtype:02x}\"}}}}"
                ),
            );
        }
        Bson::Decimal128(it) => put(out, &format!("{{\"$numberDecimal\": \"{it}\"}}")),
        Bson::Timestamp(it) => {
            put(
                out,
                &format!("{{\"$timestamp\": {{\"t\": {}, \"i\": {}}}}}", it.time, it.increment),
            );
        }
        Bson::RegularExpression(it) => {
            out.extend(b"{\"$regularExpression\": {\"pattern\": ");
            quoted(out, it.pattern.as_str());
            out.extend(b", \"options\": ");
            quoted(out, it.options.as_str());
            out.extend(b"}}");
        }
        Bson::JavaScriptCode(it) => {
            out.extend(b"{\"$code\": ");
            quoted(out, it);
            out.push(b'}');
        }
        Bson::JavaScriptCodeWithScope(it) => {
            out.extend(b"{\"$code\": ");
            quoted(out, &it.code);
            out.extend(b", \"$scope\": ");
            document(out, &it.scope);
            out.push(b'}');
        }
        Bson::MinKey => out.extend(b"{\"$minKey\": 1}"),
        Bson::MaxKey => out.extend(b"{\"$maxKey\": 1}"),
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend(text.as_bytes());
}

fn list(out: &mut Vec<u8>, items: &[Bson]) {
    out.push(b'[');
    for (number, it) in items.iter().enumerate() {
        if number > 0 {
            out.extend(b", ");
        }
        write(out, it);
    }
    out.push(b']');
}

fn document(out: &mut Vec<u8>, document: &Document) {
    out.push(b'{');
    for (number, (key, value)) in document.iter().enumerate() {
        if number > 0 {
            out.extend(b", ");
        }
        quoted(out, key);
        out.extend(b": ");
        write(out, value);
    }
    out.push(b'}');
}

fn quoted(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for letter in text.chars() {
        match letter {
            '"' => out.extend(b"\\\""),
            '\\' => out.extend(b"\\\\"),
            '\n' => out.extend(b"\\n"),
            '\r' => out.extend(b"\\r"),
            '\t' => out.extend(b"\\t"),
            '\u{8}' => out.extend(b"\\b"),
            '\u{c}' => out.extend(b"\\f"),
            ' '..='~' => out.push(letter as u8),
            letter => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    put(out, &format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push(b'"');
}

/// As Python's `repr` does: the shortest digits, an exponent below 1e-4 and from 1e16 on.
fn double(out: &mut Vec<u8>, it: f64) {
    if it.is_nan() {
        return out.extend(b"{\"$numberDouble\": \"NaN\"}");
    }
    if it.is_infinite() {
        let sign = if it < 0.0 { "-" } else { "" };
        return put(out, &format!("{{\"$numberDouble\": \"{sign}Infinity\"}}"));
    }
    let size = it.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{it:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |it| ('-', it));
        return put(out, &format!("{digits}e{sign}{exponent:0>2}"));
    }
    let text = it.to_string();
    put(out, &text);
    if !text.contains('.') {
        out.extend(b".0");
    }
}

fn date(out: &mut Vec<u8>, it: DateTime) {
    let millis = it.timestamp_millis();
    let text = if (0..=LAST).contains(&millis) { it.try_to_rfc3339_string().ok() } else { None };
    let Some(text) = text else {
        return put(out, &format!("{{\"$date\": {{\"$numberLong\": \"{millis}\"}}}}"));
    };
    let seconds = text.get(..19).unwrap_or(&text);
    let (shown, fraction) = (millis % 1000 != 0, millis % 1000);
    out.extend(b"{\"$date\": \"");
    put(out, seconds);
    if shown {
        // `write!` to a vector cannot fail.
        write!(out, ".{fraction:03}").ok();
    }
    out.extend(b"Z\"}");
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use proptest::prelude::*;

    use super::*;
    use crate::json::read;

    #[test]
    fn numbers_look_as_in_python() {
        let python = [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.000_012_5, "1.25e-05"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (5e-324, "5e-324"),
            (123_456_789.125, "123456789.125"),
        ];
        for (number, expected) in python {
            assert_eq!(text(&Bson::Double(number)), expected);
        }
        assert_eq!(text(&Bson::Double(f64::NAN)), "{\"$numberDouble\": \"NaN\"}");
    }

    #[test]
    fn texts_and_dates_look_as_in_python() {
        let letters = "a\"\\/\n\u{1}é😀\u{7f}".to_owned();
        assert_eq!(text(&letters.into()), r#""a\"\\/\n\u0001\u00e9\ud83d\ude00\u007f""#);
        let date = |millis| text(&DateTime::from_millis(millis).into());
        assert_eq!(date(1_704_164_645_000), r#"{"$date": "2024-01-02T03:04:05Z"}"#);
        assert_eq!(date(1_704_164_645_120), r#"{"$date": "2024-01-02T03:04:05.120Z"}"#);
        assert_eq!(date(-1), r#"{"$date": {"$numberLong": "-1"}}"#);
        let nested = doc! { "a": [1, 2_i64, {}], "b": [], "c": null };
        assert_eq!(text(&nested.into()), r#"{"a": [1, 2, {}], "b": [], "c": null}"#);
    }

    fn any_value() -> impl Strategy<Value = Bson> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Bson::Boolean),
            any::<i32>().prop_map(Bson::Int32),
            any::<i64>()
                .prop_filter("32 bits are written as 32", |it| i32::try_from(*it).is_err())
                .prop_map(Bson::Int64),
            any::<f64>().prop_filter("equal to itself", |it| !it.is_nan()).prop_map(Bson::Double),
            ".*".prop_map(Bson::String),
            any::<[u8; 12]>().prop_map(|it| bson::oid::ObjectId::from_bytes(it).into()),
            (-1_000_000_000_000_i64..300_000_000_000_000)
                .prop_map(|it| DateTime::from_millis(it).into()),
            prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| Bson::Binary(
                bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes }
            )),
            Just(Bson::Null),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            let key = "[a-zA-Zé. ]{0,8}";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Bson::Array),
                prop::collection::vec((key, inner), 0..6)
                    .prop_map(|it| Bson::Document(it.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in any_value()) {
            let written = text(&value);
            prop_assert_eq!(read::value(written.as_bytes(), false).unwrap(), value, "{}", written);
        }
    }
}
